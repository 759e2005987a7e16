package session

import (
	"context"
	"slices"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
)

// PreflightOptions say how to test. The zero value tests an audio call.
type PreflightOptions struct {
	// MediaOptions are those of the calls to come, so that the test is about
	// them. Sources and sinks are tried and then given to the test call, which
	// closes them like any call does; without a test call, Preflight does. Where a
	// call would capture from a device of Client.Devices, that is opened, tried and
	// closed. With neither AudioSource nor AudioSink, the test call sends a quiet tone.
	MediaOptions
	// AudioDevice and VideoDevice are tried instead of those that a call would capture
	// from, also while their kind is disabled, and the camera also without Video; the
	// test call captures from them if it captures at all. One that is not there is not
	// replaced by another. A source given for the kind is tried instead. Nil: as a call
	// would.
	AudioDevice, VideoDevice *media.Device
	// Duration is how long media is measured. Zero: 10 s.
	Duration time.Duration
	// Timeout bounds each phase, of the last one without Duration. Zero: 10 s.
	Timeout time.Duration
	// Samples is how many requests are timed. Zero: 5.
	Samples int
	// SkipMediaTest leaves out the test call.
	SkipMediaTest bool
}

// PreflightResult is what a preflight test found.
type PreflightResult struct {
	OK           bool // no phase failed, and so the audio input that a call would send from works
	Signaling    PreflightSignaling
	Devices      PreflightDevices
	Connectivity PreflightConnectivity
	Bandwidth    *PreflightBandwidth    // nil: not measured
	Errors       []*errs.PreflightError // of the phases that failed, in order
	Warnings     []string               // what failed or works less well than it could, for people
}

// PreflightSignaling is how requests to the service fare.
type PreflightSignaling struct {
	Reachable      bool          // the service answered
	RTT            time.Duration // the median
	MinRTT, MaxRTT time.Duration
	Samples, Lost  int // requests that were answered, and that were not
}

// PreflightDevices is what media can be made of and where it goes.
type PreflightDevices struct {
	AudioInput, VideoInput   PreflightInput
	AudioOutput, VideoOutput PreflightOutput
}

// A PreflightInput is a source that was tried, or the selected device. Without one,
// silence or no picture is sent and there is nothing to try.
type PreflightInput struct {
	Given, Working bool
	Device         *media.Device // nil: a source, or the provider does not tell
	Codec          string        // that it is sent with first, as in "PCMU/8000"
	Level          float64       // in dBFS, of a source of samples
}

// A PreflightOutput is a sink, or the selected loudspeaker, which calls do not use by
// themselves. Without one, what arrives is counted and dropped.
type PreflightOutput struct {
	Given, Available bool          // Available: it can take what can be negotiated, or be opened
	Device           *media.Device // nil: a sink
}

// A ConnectivityType is the best way there is for media to leave this network.
type ConnectivityType string

const (
	// ConnectivityUntested: there is no ICE server to ask.
	ConnectivityUntested ConnectivityType = ""
	// ConnectivityDirect: datagrams come and go.
	ConnectivityDirect ConnectivityType = "direct"
	// ConnectivityRelay: only a relay, over TCP or TLS or because the options say
	// so.
	ConnectivityRelay ConnectivityType = "relay"
	// ConnectivityFailed: no server could be used.
	ConnectivityFailed ConnectivityType = "failed"
)

// PreflightConnectivity is what the ICE servers said: those of the options, or
// else those that the service offers.
type PreflightConnectivity struct {
	Type          ConnectivityType
	STUNReachable bool          // a server told this side's address
	TURNReachable bool          // a server allocated a relay
	RTT           time.Duration // to the nearest server; 0: none answered
	Servers       []media.ICEProbe
}

// PreflightBandwidth is what the test call's media came to. Rates are of what went
// through, so they are never above what its codecs ask for; loss is of 0 to 1.
type PreflightBandwidth struct {
	Upload, Download         int // bit/s of payload that arrived at the far end, and here
	UploadLoss, DownloadLoss float64
	UploadJitter             time.Duration // as the far end tells
	DownloadJitter           time.Duration
	RTT                      time.Duration // of the media; 0: the far end did not tell
	SetupTime                time.Duration // from dialling until media was connected
	Measured                 time.Duration // for so long
	Path                     media.Path
	SendCodec, ReceiveCodec  string
}

// PreflightProgress tells where a preflight test stands.
type PreflightProgress struct {
	Phase  errs.PreflightPhase
	Done   bool            // else it begins
	Err    error           // of a phase that is done and failed
	Result PreflightResult // so far; it belongs to the test: do not change it
}

// ObservePreflight delivers how the client's preflight tests are going, two values
// for each phase: an event stream without replay.
func (c *Client) ObservePreflight() observable.Of[PreflightProgress] {
	return c.streams.preflight.Observe()
}

// Preflight finds out whether a call to a test destination, such as an echo, would
// go well, in four phases: requests to the service are timed, the sources given are
// tried, each ICE server is asked for what it is for, and media of a real call is
// measured.
//
// A phase that fails is an *errs.PreflightError in the result, and the next one
// follows; the first of them is returned too. The end of ctx ends the phase under
// way, with its cause, and the test: the phases that are missing were not tried.
// Options that are negative are an *errs.InvalidParamsError, and nothing is tried.
// Whatever happens, the result is not nil and holds what was found by then. A test
// call is hung up; when ctx ended, that goes on behind Preflight's back, for two
// seconds at most.
func (c *Client) Preflight(ctx context.Context, to string, o PreflightOptions) (*PreflightResult, error) {
	ctx, end := c.trace(ctx, Operation{Name: OperationPreflight})
	res, err := c.preflight(ctx, to, o)
	end(err)
	return res, err
}

func (c *Client) preflight(ctx context.Context, to string, o PreflightOptions) (*PreflightResult, error) {
	ctx, cancel := joined(ctx, c.ctx)
	defer cancel()
	p := &preflight{c: c, to: to, o: o}
	defer func() {
		if !p.dialled {
			o.release(c)
		}
	}()
	if err := p.o.settle(); err != nil {
		return &p.res, err
	}
	p.phase(ctx, errs.PreflightSignaling, p.signaling)
	p.phase(ctx, errs.PreflightDevices, p.devices)
	p.phase(ctx, errs.PreflightICE, p.connectivity)
	if !o.SkipMediaTest {
		p.phase(ctx, errs.PreflightMedia, p.bandwidth)
	}
	if len(p.res.Errors) > 0 {
		return &p.res, p.res.Errors[0]
	}
	p.res.OK = true
	return &p.res, nil
}

// settle fills in what was left to Preflight, and refuses what cannot be done.
func (o *PreflightOptions) settle() error {
	for _, n := range [...]struct {
		param    string
		negative bool
	}{{"Duration", o.Duration < 0}, {"Timeout", o.Timeout < 0}, {"Samples", o.Samples < 0}} {
		if n.negative {
			return &errs.InvalidParamsError{Param: n.param, Reason: "is negative"}
		}
	}
	orElse(&o.Duration, 10*time.Second)
	orElse(&o.Timeout, 10*time.Second)
	orElse(&o.Samples, 5)
	return nil
}

// A preflight is one test.
type preflight struct {
	c       *Client
	to      string
	o       PreflightOptions
	res     PreflightResult
	over    bool // ctx has ended
	dialled bool // sources and sinks are the call's
}

// phase does one step, unless there is no time for it.
func (p *preflight) phase(ctx context.Context, name errs.PreflightPhase, do func(context.Context) error) {
	if p.over {
		return
	}
	p.tell(name, false, nil)
	limit := p.o.Timeout
	if name == errs.PreflightMedia {
		limit += p.o.Duration
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := do(bounded)
	switch {
	case p.c.ctx.Err() != nil:
		p.over, err = true, errs.ErrClosed
	case ctx.Err() != nil:
		p.over, err = true, context.Cause(ctx)
	}
	if err == nil {
		p.tell(name, true, nil)
		return
	}
	failed := &errs.PreflightError{Phase: name, OriginalError: err}
	p.res.Errors = append(p.res.Errors, failed)
	switch name { // the devices have said which of them it was
	case errs.PreflightSignaling:
		p.warn("signaling not reachable")
	case errs.PreflightICE:
		p.warn("no connectivity")
	case errs.PreflightMedia:
		p.warn("media test failed")
	}
	p.tell(name, true, failed)
}

func (p *preflight) tell(name errs.PreflightPhase, done bool, err error) {
	so := p.res
	so.Errors, so.Warnings = slices.Clone(so.Errors), slices.Clone(so.Warnings)
	p.c.streams.preflight.Publish(PreflightProgress{Phase: name, Done: done, Err: err, Result: so})
}

func (p *preflight) warn(text string) { p.res.Warnings = append(p.res.Warnings, text) }
