package errs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// TestTableNamesEveryErrorType reads the package's source, so that a new type
// cannot escape the table, and no type can have its Error method on the value.
func TestTableNamesEveryErrorType(t *testing.T) {
	inTable := map[string]bool{}
	for _, r := range table {
		inTable[typeName(r.full)] = true
	}

	declared, pointerErrors := scanSource(t)
	if len(declared) < len(table) {
		t.Fatalf("found %d types in the source, fewer than the %d in the table", len(declared), len(table))
	}
	for _, name := range declared {
		if !inTable[name] {
			t.Errorf("%s is missing from the table", name)
		}
		if !pointerErrors[name] {
			t.Errorf("%s has no Error method on its pointer", name)
		}
	}
}

// scanSource returns the exported …Error types of the package, and which types
// have a method Error with a pointer receiver.
func scanSource(t *testing.T) (declared []string, pointerErrors map[string]bool) {
	t.Helper()
	names, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	pointerErrors = map[string]bool{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if n.Name.IsExported() && strings.HasSuffix(n.Name.Name, "Error") {
					declared = append(declared, n.Name.Name)
				}
			case *ast.FuncDecl:
				if n.Recv != nil && n.Name.Name == "Error" {
					if star, ok := n.Recv.List[0].Type.(*ast.StarExpr); ok {
						pointerErrors[star.X.(*ast.Ident).Name] = true
					}
				}
			}
			return true
		})
	}
	return declared, pointerErrors
}
