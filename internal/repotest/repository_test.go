package repotest_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// One comment says what a package is for, in two lines at least.
func TestEachPackageHasOnePackageComment(t *testing.T) {
	comments := map[string][]string{}
	packages := map[string]bool{}
	for _, s := range sources(t) {
		if s.isTest() {
			if s.file.Doc != nil {
				t.Errorf("%s: a test file has a package comment", s.path)
			}
			continue
		}
		packages[s.dir()] = true
		if s.file.Doc == nil {
			continue
		}
		comments[s.dir()] = append(comments[s.dir()], s.path)
		text := strings.TrimSpace(s.file.Doc.Text())
		want := "Package " + s.file.Name.Name + " "
		if s.file.Name.Name == "main" {
			want = "Command " + filepath.Base(s.dir()) + " "
		}
		if !strings.HasPrefix(text, want) || !strings.Contains(text, "\n") {
			t.Errorf("%s: the package comment must begin with %q and have two lines or more:\n%s", s.path, want, text)
		}
	}
	for dir := range packages {
		if n := len(comments[dir]); n != 1 {
			t.Errorf("%s: %d package comments (%v), want 1", dir, n, comments[dir])
		}
	}
}

// The hard limit; most functions are far below it.
const longestFunction = 80

func TestFunctionsAreShort(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			if n := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1; n > longestFunction {
				t.Errorf("%s: %s has %d lines, the limit is %d", s.path, f.Name.Name, n, longestFunction)
			}
		}
	}
}

func TestNoPackageHasAnInitFunction(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init function", s.path)
			}
		}
	}
}

func TestNothingIsLeftForLater(t *testing.T) {
	later := regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)
	for _, s := range sources(t) {
		for _, group := range s.file.Comments {
			if m := later.FindString(group.Text()); m != "" {
				t.Errorf("%s: %s", s.set.Position(group.Pos()), m)
			}
		}
	}
}

// Goroutines that outlive a test are defects, so each package looks for them.
func TestEachPackageWithTestsChecksForLeaks(t *testing.T) {
	tested, checked := map[string]bool{}, map[string]bool{}
	for _, s := range sources(t) {
		if s.isTest() {
			tested[s.dir()] = true
			checked[s.dir()] = checked[s.dir()] || strings.Contains(string(s.text), "goleak.")
		}
	}
	delete(tested, "internal/repotest") // these tests start nothing
	for dir := range tested {
		if !checked[dir] {
			t.Errorf("%s: no goleak check in its tests", dir)
		}
	}
}

func TestHouseFilesAreThere(t *testing.T) {
	for name, want := range map[string]string{
		"LICENSE":         "MIT License",
		"CHANGELOG.md":    "## [Unreleased]",
		"CONTRIBUTING.md": "make test",
		".ci/run":         "make test",
	} {
		if !strings.Contains(read(t, name), want) {
			t.Errorf("%s does not say %q", name, want)
		}
	}
	info, err := os.Stat(filepath.Join(root, ".ci/run"))
	if err != nil || info.Mode()&0o100 == 0 {
		t.Errorf(".ci/run is not executable (%v)", err)
	}
}
