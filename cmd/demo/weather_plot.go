package main

import (
	"bytes"
	"image/color"
	"image/png"
	"os"
	"time"

	"github.com/callrx/callrx/cmd/demo/internal/chart"
	"github.com/callrx/callrx/session"
)

// plot writes a picture of the record to a file.
func (r *record) plot(path string) error {
	img, err := r.chart().Draw()
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	smallest := png.Encoder{CompressionLevel: png.BestCompression}
	if err := smallest.Encode(&buf, img); err != nil {
		return err
	}
	return os.WriteFile(path, buf.Bytes(), 0o644)
}

// chart is the record as four panels.
func (r *record) chart() chart.Chart {
	stretches, readings, happenings := r.seen()
	c := chart.Chart{
		Title:    "A call in bad weather",
		Subtitle: "what the call measured of its own network; nothing is drawn where nothing arrived",
		Panels: []chart.Panel{
			{Name: "MOS", Unit: "1 to 5", Low: 1, High: 5, Fixed: true, Color: color.RGBA{0x1f, 0x77, 0xb4, 0xff}},
			{Name: "loss", Unit: "%, of 5 s", High: 10, Color: color.RGBA{0xc2, 0x3b, 0x22, 0xff}},
			{Name: "jitter", Unit: "ms", High: 20, Color: color.RGBA{0x7a, 0x52, 0xa8, 0xff}},
			{Name: "round trip", Unit: "ms", High: 50, Color: color.RGBA{0x2a, 0x7f, 0x62, 0xff}},
		},
	}
	for _, s := range stretches {
		c.Seconds = max(c.Seconds, s.to.Seconds())
		c.Bands = append(c.Bands, chart.Band{From: s.from.Seconds(), To: s.to.Seconds(), Name: s.name, Note: s.does, Color: sky(s)})
	}
	for _, v := range readings {
		for i, value := range []float64{v.score, v.lossHere, ms(v.jitter), ms(v.roundTrip)} {
			c.Panels[i].Points = append(c.Panels[i].Points, chart.Point{At: v.at.Seconds(), Value: value, Hole: !v.heard()})
		}
	}
	for _, h := range happenings {
		if label, kind := markOf(h); label != "" {
			c.Marks = append(c.Marks, chart.Mark{At: h.at.Seconds(), Label: label, Kind: kind})
		}
	}
	return c
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// sky is the colour of a spell.
func sky(s stretch) color.RGBA {
	switch {
	case s.conditions.Cut:
		return color.RGBA{0xf3, 0xb4, 0xae, 0xff}
	case s.conditions.Jitter > 0:
		return color.RGBA{0xd9, 0xd2, 0xe6, 0xff}
	case s.conditions.Loss >= 0.1:
		return color.RGBA{0xa9, 0xbd, 0xd6, 0xff}
	case s.conditions.Loss > 0:
		return color.RGBA{0xcf, 0xdf, 0xee, 0xff}
	case s.conditions.Delay > lineDelay:
		return color.RGBA{0xf6, 0xe3, 0xb5, 0xff}
	}
	return color.RGBA{0xdc, 0xee, 0xd2, 0xff}
}

// markOf is how a step of recovery is marked; without a label it is not.
func markOf(h happening) (label string, kind chart.Kind) {
	switch h.action {
	case session.RecoveryReinviteStarted:
		return h.text, chart.Neutral
	case session.RecoveryReinviteTimeout, session.RecoveryReinviteFailed, session.RecoveryCallRecoveryFailed, session.RecoveryMaxAttemptsReached:
		return h.text, chart.Bad
	case session.RecoveryCallRecovered:
		return h.text, chart.Good
	}
	return "", chart.Neutral
}
