package media

import "context"

// quiet is silence in whatever codec there is. It needs no encoder, so it works
// for Opus too.
type quiet struct{}

// NewSilence returns a source of silence. A leg without an audio source sends the
// same.
func NewSilence() Source { return quiet{} }

func (quiet) Codecs() []string { return nil }

func (quiet) Send(ctx context.Context, out *Output) error {
	samples := out.codec.ClockRate / framesPerSecond
	payload, ok := silence(out.codec, samples)
	if !ok {
		<-ctx.Done()
		return nil
	}
	return pace(ctx, func() error {
		out.outlet.sent.level.silent()
		_ = out.outlet.writeNext(out.codec, payload, uint32(samples))
		return nil
	})
}
