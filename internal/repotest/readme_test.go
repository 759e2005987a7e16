package repotest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// compiled is all code that README snippets may be copied from: the test files
// of the module, with their indentation removed so that a part of a function is
// found as well.
func compiled(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, s := range sources(t) {
		if s.isTest() {
			all.WriteString(flush(string(s.text)))
		}
	}
	return all.String()
}

// flush removes the indentation of every line.
func flush(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(strings.TrimLeft(line, " \t"))
	}
	return out.String()
}

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

func TestReadmeShowsCodeThatRuns(t *testing.T) {
	code := compiled(t)
	blocks := goBlock.FindAllStringSubmatch(read(t, "README.md"), -1)
	if len(blocks) < 3 {
		t.Fatalf("found %d snippets in the README", len(blocks))
	}
	for _, b := range blocks {
		if !strings.Contains(code, flush(b[1])) {
			t.Errorf("no test file contains this snippet of the README:\n%s", b[1])
		}
	}
}

func TestReadmeCommandsExist(t *testing.T) {
	makefile := read(t, "Makefile")
	for _, m := range regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)").FindAllStringSubmatch(read(t, "README.md"), -1) {
		if !strings.Contains(makefile, "\n"+m[1]+":") {
			t.Errorf("the README mentions make %s, which the Makefile does not have", m[1])
		}
	}
}

func TestReadmeLinksLeadSomewhere(t *testing.T) {
	for _, name := range []string{"README.md", "CONTRIBUTING.md"} {
		for _, m := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(goBlock.ReplaceAllString(read(t, name), ""), -1) {
			if strings.HasPrefix(m[1], "https://") { // no network in tests
				continue
			}
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Names in the comparison with the Browser SDK must exist: they are looked for
// in the declarations of package session.
func TestReadmeNamesExist(t *testing.T) {
	_, table, _ := strings.Cut(read(t, "README.md"), "| Browser SDK | callrx |")
	table, _, _ = strings.Cut(table, "\n\n")
	declared := declaredNames(t)
	for line := range strings.Lines(table) {
		columns := strings.Split(line, "|")
		if len(columns) < 3 {
			continue
		}
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(columns[2], -1) {
			name, _, _ := strings.Cut(m[1], "(")
			name = name[strings.LastIndex(name, ".")+1:]
			if !declared[name] {
				t.Errorf("the README mentions %s, which package session does not declare", m[1])
			}
		}
	}
}
