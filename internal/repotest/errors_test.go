package repotest_test

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// pending are the errors of what is not built yet. Whoever raises one takes it off.
var pending = []string{}

// TestEveryErrorIsRaisedAndMadeToHappen: for each exported type of package errs there
// is code that makes one, and a test elsewhere that has it happen.
func TestEveryErrorIsRaisedAndMadeToHappen(t *testing.T) {
	var declared []string
	raised, tested := map[string]bool{}, map[string]bool{}
	for _, s := range sources(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if s.dir() == "errs" && !s.isTest() && n.Name.IsExported() && strings.HasSuffix(n.Name.Name, "Error") {
					declared = append(declared, n.Name.Name)
				}
			case *ast.CompositeLit:
				if name := ofErrs(n.Type); !s.isTest() {
					raised[name] = true
				}
			case *ast.SelectorExpr:
				if s.isTest() && s.dir() != "errs" {
					tested[ofErrs(n)] = true
				}
			}
			return true
		})
	}
	if len(declared) < 30 {
		t.Fatalf("only %d errors: %q", len(declared), declared)
	}
	for _, name := range declared {
		switch done := raised[name] && tested[name]; {
		case done && slices.Contains(pending, name):
			t.Errorf("%s happens by now: take it off the list", name)
		case !done && !slices.Contains(pending, name):
			t.Errorf("%s: raised %v, made to happen by a test %v", name, raised[name], tested[name])
		}
	}
}

// ofErrs is the name that an expression selects of package errs, empty if it is
// another.
func ofErrs(e ast.Expr) string {
	if s, ok := e.(*ast.SelectorExpr); ok {
		if p, ok := s.X.(*ast.Ident); ok && p.Name == "errs" {
			return s.Sel.Name
		}
	}
	return ""
}
