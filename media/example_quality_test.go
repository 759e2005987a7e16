package media_test

import (
	"fmt"
	"time"

	"github.com/callrx/callrx/media"
)

// A program that has legs without a session samples them itself.
func ExampleMonitor() {
	m := media.NewMonitor(media.MonitorConfig{})
	s := media.Stats{Directions: media.Directions{Audio: media.SendRecv}} // as of Leg.Stats
	for second := range 10 {
		s.Time = time.Unix(int64(second), 0)
		if second < 4 {
			s.Audio.PacketsReceived += 50
		}
		if m.Add(s) {
			i := m.Issues()[0]
			fmt.Println(second, i.Type, i.Severity, i.Value, "ms of silence")
		}
	}
	m.Disconnected(s.Time, true) // the leg says that its paths carry nothing
	fmt.Println(len(m.Issues()), "issues, healthy:", m.Healthy())
	m.Disconnected(s.Time, false)
	m.Relearn() // the leg has another path
	for range 2 {
		s.Time = s.Time.Add(time.Second)
		s.Audio.PacketsReceived += 50
		m.Add(s)
	}
	fmt.Printf("%d issues, score %.1f\n", len(m.Issues()), m.Score())
	// Output:
	// 7 no_inbound_audio critical 4000 ms of silence
	// 2 issues, healthy: false
	// 0 issues, score 4.4
}

func ExampleQualityScore() {
	score := media.QualityScore(300*time.Millisecond, 30*time.Millisecond, 5)
	fmt.Printf("%.2f %v\n", score, media.LevelOf(score))
	// Output: 3.88 good
}
