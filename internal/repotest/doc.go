// Package repotest tests the repository as a whole: that packages explain
// themselves, that functions stay short, and that what the README shows is code
// that runs. It has no code of its own.
package repotest
