package errs_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callrx/callrx/errs"
)

// A refresh that failed for good tells the program how long it has to bring a
// token, and the error inside tells what the endpoint answered.
func ExampleTokenRefreshError() {
	var err error = &errs.TokenRefreshError{
		Mechanism:   errs.MechanismDeveloper,
		Stage:       errs.StageObtain,
		Attempt:     5,
		MaxAttempts: 5,
		Final:       true,
		ExpiresAt:   time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC),
		OriginalError: &errs.HTTPError{
			Method: "POST", Path: "/api/fabric/subscribers/tokens", Status: 503,
		},
	}

	var refresh *errs.TokenRefreshError
	if errors.As(err, &refresh) && refresh.Final {
		fmt.Println("need a token before", refresh.ExpiresAt.Format(time.TimeOnly))
	}
	var answer *errs.HTTPError
	if errors.As(err, &answer) {
		fmt.Println("endpoint said", answer.Status)
	}
	// Output:
	// need a token before 09:30:00
	// endpoint said 503
}

// The reason tells a program whether to ask the user to sign in again.
func ExampleInvalidCredentialsError() {
	err := fmt.Errorf("connect: %w", &errs.InvalidCredentialsError{Reason: errs.CredentialExpired})

	var invalid *errs.InvalidCredentialsError
	if errors.As(err, &invalid) && invalid.Reason == errs.CredentialExpired {
		fmt.Println("please sign in again")
	}
	fmt.Println(err)
	// Output:
	// please sign in again
	// connect: invalid credentials: expired
}

// A rate limit says how long to wait.
func ExampleHTTPError() {
	var err error = &errs.HTTPError{
		Method: "GET", Path: "/api/fabric/addresses", Status: 429, RetryAfter: 7 * time.Second,
	}

	var answer *errs.HTTPError
	if errors.As(err, &answer) && answer.Retryable() {
		fmt.Println("again in", answer.RetryAfter)
	}
	fmt.Println(err)
	// Output:
	// again in 7s
	// http GET /api/fabric/addresses: 429 Too Many Requests
}

// The code says what the server objects to.
func ExampleJSONRPCError() {
	var err error = &errs.JSONRPCError{
		Code: errs.CodePermissionDenied, Message: "not allowed", Method: "call.mute", RequestID: "42",
	}

	var refused *errs.JSONRPCError
	if errors.As(err, &refused) && refused.Code == errs.CodePermissionDenied {
		fmt.Println("ask the host")
	}
	fmt.Println(err)
	// Output:
	// ask the host
	// rpc call.mute: code -32001: not allowed (request 42)
}

// One question covers every kind of failure.
func ExampleRetryable() {
	fmt.Println(errs.Retryable(&errs.HTTPError{Status: 503}))
	fmt.Println(errs.Retryable(&errs.HTTPError{Status: 401}))
	fmt.Println(errs.Retryable(fmt.Errorf("account locked: %w", errs.ErrPermanent)))
	// Output:
	// true
	// false
	// false
}

// Every time-out matches the standard one.
func ExampleRPCTimeoutError() {
	err := &errs.RPCTimeoutError{Method: "signalwire.connect", RequestID: "1", After: 5 * time.Second}
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}
