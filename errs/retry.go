package errs

import (
	"context"
	"errors"
	"net/http"
)

// Retryable reports whether trying again may help. The answer is false for nil,
// for anything that wraps [ErrPermanent] or context.Canceled, and for a session
// that ended for good; otherwise the first error of the chain that has a
// Retryable method decides, and an error that nobody judges is retryable.
func Retryable(err error) bool {
	if err == nil || errors.Is(err, ErrPermanent) || errors.Is(err, context.Canceled) {
		return false
	}
	if ended, ok := errors.AsType[*SessionEndedError](err); ok {
		return ended.Retryable
	}
	if judge, ok := errors.AsType[interface {
		error
		Retryable() bool
	}](err); ok {
		return judge.Retryable()
	}
	return true
}

// retryableStatus reports whether an HTTP status describes a passing condition:
// 408, 425, 429 and every 5xx.
func retryableStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500 && status <= 599
}
