package observable

import "errors"

// Select returns the errors of src that are an E, or wrap one, in the sense of [errors.As]. It begins
// where src begins, and starts nothing until it is watched.
//
//	for err := range observable.Select[*errs.TokenRefreshError](client.ObserveErrors()).Seq(ctx) {
func Select[E error](src Of[error]) Of[E] {
	return filterMap(src, func(err error) (e E, ok bool) {
		ok = errors.As(err, &e)
		return e, ok
	})
}

// Filter returns the values of src that satisfy keep, which runs once per subscription and value.
func Filter[T any](src Of[T], keep func(T) bool) Of[T] {
	return filterMap(src, func(v T) (T, bool) { return v, keep(v) })
}

// Map returns the values of src as f makes them. It runs once per subscription and value.
func Map[T, U any](src Of[T], f func(T) U) Of[U] {
	return filterMap(src, func(v T) (U, bool) { return f(v), true })
}

func filterMap[T, U any](src Of[T], f func(T) (U, bool)) Of[U] {
	before := src.src.pick
	out := src.src
	out.pick = func(x any) (any, bool) {
		if before != nil {
			var ok bool
			if x, ok = before(x); !ok {
				return nil, false
			}
		}
		v, _ := x.(T)
		u, ok := f(v)
		if !ok {
			return nil, false
		}
		return u, true
	}
	return newOf[U](out)
}
