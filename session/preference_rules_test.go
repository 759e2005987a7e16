package session

import (
	"reflect"
	"testing"
)

// TestPreferenceTableHasEveryField, so that none
// escapes its rule or the storage.
func TestPreferenceTableHasEveryField(t *testing.T) {
	fields := reflect.VisibleFields(reflect.TypeFor[PreferenceValues]())
	if len(fields) != len(preferenceTable) {
		t.Fatalf("%d fields, %d rows", len(fields), len(preferenceTable))
	}
	for _, f := range fields {
		found := false
		for _, p := range preferenceTable {
			found = found || p.field == f.Name
		}
		if !found {
			t.Errorf("%s has no row", f.Name)
		}
	}
}
