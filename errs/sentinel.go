package errs

import (
	"errors"
	"fmt"
)

var (
	// ErrClosed says that the client or call was closed by the program. It is
	// final: a closed client cannot be used again.
	ErrClosed = errors.New("callrx: closed")

	// ErrDisconnected says that the program disconnected the client. A
	// disconnected client can be connected again.
	ErrDisconnected = errors.New("callrx: disconnected")

	// ErrPermanent tells the SDK to stop retrying. A credential provider wraps
	// it when asking again cannot help, because the account is locked for
	// example.
	ErrPermanent = errors.New("callrx: permanent failure")

	// ErrUnsupported says that a provider or the platform lacks a feature. It
	// matches the standard errors.ErrUnsupported.
	ErrUnsupported = fmt.Errorf("callrx: not available here: %w", errors.ErrUnsupported)

	// ErrUnimplemented says that the platform announces a feature that it does
	// not offer yet. It matches the standard errors.ErrUnsupported, and every
	// [UnimplementedError] matches it.
	ErrUnimplemented = fmt.Errorf("callrx: not implemented: %w", errors.ErrUnsupported)

	// ErrDamaged says that a stored value is not one that callrx wrote, or is not
	// whole. It is ignored, and replaced when there is a new one.
	ErrDamaged = errors.New("callrx: damaged, or not of callrx")

	// ErrExposed says that a file holds a stored value and others may read or write
	// it. The value is not used, and replaced when there is a new one.
	ErrExposed = errors.New("callrx: open to others")

	// ErrSealed says that a stored value was sealed with none of the keys at
	// hand, which may be none at all, or was changed or moved since. Records of
	// calls are left as they are then, and none are written, until the key is
	// added or the value deleted.
	ErrSealed = errors.New("callrx: sealed with another key, or changed since; add the key or delete the value")

	// ErrNotSealed says that a stored value is not sealed, as it should be: it was
	// stored before values were sealed, and has to be deleted or stored anew.
	ErrNotSealed = errors.New("callrx: not sealed; delete it or store it anew")
)
