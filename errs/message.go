package errs

import "strings"

// withCause joins what failed with why, on one line whatever the causes are. A nil
// cause adds nothing.
func withCause(head string, cause error) string {
	if cause == nil {
		return head
	}
	return head + ": " + strings.ReplaceAll(cause.Error(), "\n", "; ")
}

// withDetail appends a detail to the text if there is one.
func withDetail(head, separator, detail string) string {
	if detail == "" {
		return head
	}
	return head + separator + detail
}
