package repotest_test

import (
	"go/ast"
	"go/types"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shown are the packages that programs import. All that they export is shown by
// examples, with these exceptions:
//
//   - a method that makes its type fit an interface of the standard library, of errors,
//     or of package media, which the library calls and programs hardly do;
//   - an accessor whose twin is shown: Foo and ObserveFoo are one fact.
var shown = []string{"observable", "session", "session/sessiontest", "errs", "media"}

// fitting are the methods of such interfaces.
var fitting = []string{
	"Error", "Unwrap", "Is", "As", "String", "GoString", "Format", "LogValue", "MarshalJSON", "UnmarshalJSON", "MarshalText",
	"Retryable", "Codecs", "Open", "WritePacket", "Send", "Close",
}

// mentioned is every identifier in the examples of a package and, as examples call
// them, in the functions of their files.
func mentioned(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, s := range sources(t) {
		if !s.isTest() || !strings.Contains(s.path, "example") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				names[id.Name] = true
			}
			return true
		})
	}
	return names
}

func TestEverythingExportedIsInAnExample(t *testing.T) {
	names := mentioned(t)
	for _, s := range sources(t) {
		if s.isTest() || !slices.Contains(shown, s.dir()) {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() || f.Recv != nil && !ast.IsExported(receiver(f)) {
				continue
			}
			name := f.Name.Name
			twin := strings.TrimPrefix(name, "Observe")
			if !names[name] && !names[twin] && !names["Observe"+twin] && !(f.Recv != nil && slices.Contains(fitting, name)) {
				t.Errorf("%s: no example shows %s", s.path, strings.TrimPrefix(receiver(f)+"."+name, "."))
			}
		}
	}
}

// receiver is the type that a method is of, without star and parameters.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	name, _, _ := strings.Cut(types.ExprString(f.Recv.List[0].Type), "[")
	return strings.TrimPrefix(name, "*")
}

// Each numbered promise of a package comment has a test that names it: TestG7… for the
// guarantees of package observable, and for the rules of order of package session a run
// that breaks it, which sessiontest must name.
func TestEachPromiseHasATest(t *testing.T) {
	tests := map[string]string{}
	for _, s := range sources(t) {
		if s.isTest() {
			tests[s.dir()] += string(s.text)
		}
	}
	numbered := regexp.MustCompile(`(?m)^//\s+(\d+)\. [A-Z]`)
	promises := numbered.FindAllStringSubmatch(read(t, "observable/doc.go"), -1)
	for _, m := range promises {
		if !regexp.MustCompile("func TestG" + m[1] + "[A-Z]").MatchString(tests["observable"]) {
			t.Errorf("guarantee %s of package observable has no test", m[1])
		}
	}
	rules := numbered.FindAllStringSubmatch(read(t, "session/doc.go"), -1)
	if len(promises) < 10 || len(rules) < 6 {
		t.Fatalf("%d guarantees, %d rules", len(promises), len(rules))
	}
	checked := regexp.MustCompile(`(?:fail\(|Rule, c\.Problem = )(\d)`)
	var named []string
	for _, file := range []string{"order.go", "order_state.go"} {
		for _, m := range checked.FindAllStringSubmatch(read(t, "session/sessiontest/"+file), -1) {
			named = append(named, m[1])
		}
	}
	for _, m := range rules {
		if !slices.Contains(named, m[1]) {
			t.Errorf("rule %s of package session is checked by nothing in sessiontest", m[1])
		}
	}
}
