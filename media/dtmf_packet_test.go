package media

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEveryDigitHasItsEvent(t *testing.T) {
	for i := range len(digitValues) {
		if code, ok := eventOf(digitValues[i]); !ok || int(code) != i {
			t.Errorf("%c is %d, %v", digitValues[i], code, ok)
		}
	}
	for _, lower := range "abcd" {
		if code, ok := eventOf(byte(lower)); !ok || digitValues[code] != byte(lower)-'a'+'A' {
			t.Errorf("%c is %d, %v", lower, code, ok)
		}
	}
	for _, other := range "xE +w" {
		if _, ok := eventOf(byte(other)); ok {
			t.Errorf("%q is a digit", other)
		}
	}
}

func TestDigitDetector(t *testing.T) {
	event := func(timestamp uint32, code uint8, duration uint16, end bool) Packet {
		return Packet{
			Codec: Codec{Name: telephoneEvent, ClockRate: 8000}, Timestamp: timestamp, SSRC: 1,
			Payload: telephoneEventPayload{code: code, duration: duration, end: end}.marshal(),
		}
	}
	one := Digit{Value: '1', Duration: 100 * time.Millisecond}
	for name, test := range map[string]struct {
		packets []Packet
		want    []Digit
	}{
		"once although its end comes three times": {[]Packet{event(0, 1, 160, false), event(0, 1, 800, true), event(0, 1, 800, true), event(0, 1, 800, true)}, []Digit{one}},
		"only an end":                     {[]Packet{event(0, 1, 800, true)}, []Digit{one}},
		"the same digit twice":            {[]Packet{event(0, 1, 800, true), event(1600, 1, 800, true)}, []Digit{one, one}},
		"an end that is lost":             {[]Packet{event(0, 1, 800, false), event(1600, 11, 400, true)}, []Digit{one, {'#', 50 * time.Millisecond}}},
		"an end that never comes":         {[]Packet{event(0, 1, 800, false)}, nil},
		"packets out of order":            {[]Packet{event(0, 1, 800, true), event(0, 1, 160, false)}, []Digit{one}},
		"a straggler of an earlier digit": {[]Packet{event(0, 1, 800, true), event(1600, 2, 400, false), event(0, 1, 800, true), event(1600, 2, 800, true)}, []Digit{one, {'2', 100 * time.Millisecond}}},
		"something else":                  {[]Packet{event(0, 16, 800, true), {Payload: []byte{1}}}, nil},
	} {
		var d digitDetector
		var got []Digit
		for _, p := range test.packets {
			d.packet(p, func(d Digit) { got = append(got, d) })
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func FuzzTelephoneEvent(f *testing.F) {
	f.Add([]byte{1, 0x8a, 3, 0x20})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, ok := parseTelephoneEvent(b)
		if ok != (len(b) >= 4) {
			t.Fatal(ok)
		}
		if again, _ := parseTelephoneEvent(e.marshal()); ok && again != e {
			t.Errorf("%+v became %+v", e, again)
		}
	})
}
