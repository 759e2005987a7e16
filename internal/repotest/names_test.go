package repotest_test

import (
	"go/ast"
	"go/types"
	"strings"
	"testing"
)

// declaredNames is every exported name of package session: functions, methods,
// types and fields.
func declaredNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, s := range sources(t) {
		if s.dir() != "session" || s.isTest() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				names[n.Name.Name] = true
			case *ast.TypeSpec:
				names[n.Name.Name] = true
			case *ast.Field:
				for _, id := range n.Names {
					names[id.Name] = true
				}
			}
			return true
		})
	}
	return names
}

// Whatever makes something, and each thing a client does, has an example that
// runs. Snapshots and their streams are alike, and need one example together.
func TestEntryPointsHaveExamples(t *testing.T) {
	examples, wanted := map[string]bool{}, map[string]string{}
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			switch {
			case !ok:
			case s.isTest():
				if name, is := strings.CutPrefix(f.Name.Name, "Example"); is {
					examples[s.dir()+"."+name] = true
				}
			case public(s.dir()) && f.Recv == nil && f.Name.IsExported():
				wanted[s.dir()+"."+f.Name.Name] = s.path
			case s.dir() == "session" && acts(f):
				wanted["session.Client_"+f.Name.Name] = s.path
			}
		}
	}
	for name, path := range wanted {
		if kind := strings.Replace(name, ".New", ".", 1); !examples[name] && !examples[kind] {
			t.Errorf("%s: %s has no example", path, name)
		}
	}
}

// public reports whether programs import the package in dir.
func public(dir string) bool {
	return dir == "session" || dir == "observable" || dir == "errs"
}

// acts reports whether f is a method by which a client does something: it takes
// a context.
func acts(f *ast.FuncDecl) bool {
	if f.Recv == nil || !f.Name.IsExported() {
		return false
	}
	return types.ExprString(f.Recv.List[0].Type) == "*Client" &&
		f.Type.Params.NumFields() > 0 && types.ExprString(f.Type.Params.List[0].Type) == "context.Context"
}
