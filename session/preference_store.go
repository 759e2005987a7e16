package session

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/callrx/callrx/media"
)

// keyPreferences is where preferences are stored: a JSON object of the Browser
// SDK's names and units.
const keyPreferences = keyPrefix + "preferences"

// WarningPreference comes with *PreferenceWarning.
const WarningPreference WarningCode = "preference_ignored"

// A PreferenceWarning says that a stored preference cannot be and was left out.
type PreferenceWarning struct {
	Field   string // of PreferenceValues
	Problem string
}

// Code is WarningPreference.
func (*PreferenceWarning) Code() WarningCode { return WarningPreference }

func (w *PreferenceWarning) String() string {
	return fmt.Sprintf("the stored preference %s is left out: it %s", w.Field, w.Problem)
}

// read is get for a caller who is told of a failure, of a value that outlives the
// process. It asks a storage that hung before, too.
func (s *store) read(ctx context.Context, key string) ([]byte, error) {
	within, cancel := context.WithTimeout(ctx, storeReadTimeout)
	defer cancel()
	s.settled(within)
	s.beginAnyway()
	value, hung, err := timed(within, s, storeReadTimeout, func(ctx context.Context) ([]byte, error) {
		value, ok, err := s.storage.Get(ctx, ScopePersistent, key)
		if !ok {
			value = nil
		}
		return value, err
	})
	if err != nil && hung && ctx.Err() == nil {
		s.spare()
	}
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, storageFailed("read", key, err)
	}
	return value, nil
}

// storedPreferences are values by the names they are stored under.
type storedPreferences map[string]json.RawMessage

// decodePreferences reads what encodePreferences, or a Browser SDK, has written.
// Nothing stored is nothing wrong.
func decodePreferences(text []byte) (stored storedPreferences, err error) {
	if len(text) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(text, &stored); err != nil {
		return nil, damage(keyPreferences)
	}
	return stored, nil
}

// apply sets what was stored, except of the fields to keep, and tells what it
// leaves out.
func (s storedPreferences) apply(v *PreferenceValues, keep map[string]bool) (warnings []*PreferenceWarning) {
	before := v.clone()
	of, old := reflect.ValueOf(v).Elem(), reflect.ValueOf(&before).Elem()
	for _, p := range preferenceTable {
		raw, ok := s[p.key]
		if !ok || p.key == "" || keep[p.field] {
			continue
		}
		field := of.FieldByName(p.field)
		problem := p.decode(raw, field)
		if problem == "" {
			problem = p.rule(field.Interface())
		}
		if problem != "" {
			field.Set(old.FieldByName(p.field))
			warnings = append(warnings, &PreferenceWarning{Field: p.field, Problem: problem})
		}
	}
	for _, pair := range preferencePairs { // what was not stored may not fit
		low, high := of.FieldByName(pair[0]), of.FieldByName(pair[1])
		if low.Int() > high.Int() {
			warnings = append(warnings, &PreferenceWarning{Field: pair[0], Problem: fmt.Sprintf("is more than %s: %v and %v", pair[1], low, high)})
			low.Set(old.FieldByName(pair[0]))
			high.Set(old.FieldByName(pair[1]))
		}
	}
	return warnings
}

func encodePreferences(v *PreferenceValues) []byte {
	stored, of := map[string]any{}, reflect.ValueOf(v).Elem()
	for _, p := range preferenceTable {
		if p.key != "" {
			stored[p.key] = p.encode(of.FieldByName(p.field).Interface())
		}
	}
	text, _ := json.Marshal(stored) // the rules keep out what cannot be JSON
	return text
}

// measure is the unit of a stored number.
func (p preference) measure(ofTime bool) float64 {
	switch {
	case p.unit > 0:
		return float64(p.unit)
	case ofTime:
		return float64(time.Millisecond)
	}
	return 1
}

// encode is v in its stored form.
func (p preference) encode(v any) any {
	switch v := v.(type) {
	case time.Duration:
		return float64(v) / p.measure(true)
	case int:
		return float64(v) / p.measure(false)
	case media.Toggle:
		return map[media.Toggle]any{media.On: true, media.Off: false}[v] // and null
	case []media.ICEServer:
		return storedServers(v)
	}
	return v
}

// decode sets field to what was stored, or says why it cannot.
func (p preference) decode(raw json.RawMessage, field reflect.Value) string {
	const wrong = "is stored as something else"
	into := reflect.New(field.Type())
	switch field.Interface().(type) {
	case time.Duration, int:
		var f *float64
		if json.Unmarshal(raw, &f) != nil || f == nil {
			return wrong
		}
		_, isTime := field.Interface().(time.Duration)
		n := math.Round(*f * p.measure(isTime))
		if math.Abs(n) >= 1<<62 || !isTime && n != *f*p.measure(false) {
			return "is stored as a number that it cannot be"
		}
		into.Elem().SetInt(int64(n))
	case media.Toggle:
		var b *bool
		if json.Unmarshal(raw, &b) != nil {
			return wrong
		}
		into.Elem().Set(reflect.ValueOf(toggleOf(b)))
	case []media.ICEServer:
		var servers []storedServer
		if json.Unmarshal(raw, &servers) != nil {
			return wrong
		}
		into.Elem().Set(reflect.ValueOf(loadedServers(servers)))
	default:
		nothing := string(raw) == "null" && !slices.Contains([]reflect.Kind{reflect.Map, reflect.Slice}, field.Kind())
		if nothing || json.Unmarshal(raw, into.Interface()) != nil {
			return wrong
		}
	}
	field.Set(into.Elem())
	return ""
}

func toggleOf(b *bool) media.Toggle {
	switch {
	case b == nil:
		return media.Default
	case *b:
		return media.On
	}
	return media.Off
}
