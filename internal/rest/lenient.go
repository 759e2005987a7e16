package rest

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// text takes a JSON string, or a number as it is written, and reads null and
// anything else as empty.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	*t = ""
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*t = text(s)
		return nil
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		*t = text(n)
	}
	return nil
}

// object takes a JSON object, and reads anything else as none.
type object map[string]any

func (o *object) UnmarshalJSON(raw []byte) error {
	*o = nil
	var m map[string]any
	if json.Unmarshal(raw, &m) == nil {
		*o = m
	}
	return nil
}

// seconds takes a count of seconds: a number, whole or not, or a string that
// holds one. Present tells zero from absent; null counts as absent.
type seconds struct {
	value   int64
	present bool
}

func (s *seconds) UnmarshalJSON(raw []byte) error {
	var t text
	_ = t.UnmarshalJSON(raw) // never fails
	if t == "" && string(raw) == "null" {
		return nil
	}
	value, err := strconv.ParseFloat(string(t), 64)
	if err != nil || math.Abs(value) > 1e11 {
		return fmt.Errorf("not a count of seconds")
	}
	s.value, s.present = int64(value), true
	return nil
}

// expiry turns what an answer says about a token's life into one instant: the
// absolute time if there is one, else the relative one counted from the answer's
// arrival, else zero.
func expiry(at, in seconds, arrived time.Time) time.Time {
	switch {
	case at.present && at.value != 0:
		return time.Unix(at.value, 0)
	case in.present:
		return time.Unix(arrived.Unix()+in.value, int64(arrived.Nanosecond()))
	}
	return time.Time{}
}
