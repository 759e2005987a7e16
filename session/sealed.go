package session

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"fmt"

	"github.com/callrx/callrx/errs"
)

// sealVersion begins each sealed value: AES-256-GCM with a random nonce.
const sealVersion = 0x01

// NewSealedStorage encrypts the values of inner with AES-256-GCM. The first of
// the keys, of 32 random bytes each, seals; all of them open. To change keys put
// the new one first and keep the old one until each value was written again.
//
// A value that none of the keys opens, that was changed, or that was moved to
// another key or scope is *errs.StorageError around errs.ErrSealed; one that is
// not sealed is the same around errs.ErrNotSealed: what was stored before has to
// be deleted. A client whose stored values cannot be opened signs in anew. The
// names of the keys, the sizes of values and when they change stay visible, and
// whoever may write to inner can put an older value back.
//
// The result is a [SharedStorage] if inner is one. A missing key, or one of
// another length, is *errs.ConfigError.
func NewSealedStorage(inner Storage, keys ...[]byte) (Storage, error) {
	if inner == nil {
		return nil, &errs.ConfigError{Field: "inner", Problem: "is nil"}
	}
	if len(keys) == 0 {
		return nil, &errs.ConfigError{Field: "keys", Problem: "are missing"}
	}
	s := &sealedStorage{Storage: inner}
	for i, key := range keys {
		if len(key) != 32 {
			return nil, &errs.ConfigError{Field: "keys", Problem: fmt.Sprintf("number %d has %d bytes, want 32", i+1, len(key))}
		}
		seal, err := newSeal(key)
		if err != nil {
			return nil, &errs.ConfigError{Field: "keys", OriginalError: err}
		}
		s.seals = append(s.seals, seal)
	}
	if shared, ok := inner.(SharedStorage); ok {
		return &sealedSharedStorage{sealedStorage: s, shared: shared}, nil
	}
	return s, nil
}

func newSeal(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

type sealedStorage struct {
	Storage // whose Delete and Clear are as good here
	seals   []cipher.AEAD
}

// place is what a sealed value is bound to.
func place(s Scope, key string) []byte { return fmt.Appendf(nil, "callrx\x00%s\x00%s", s, key) }

func (s *sealedStorage) seal(scope Scope, key string, value []byte) []byte {
	return s.seals[0].Seal([]byte{sealVersion}, nil, value, place(scope, key))
}

func (s *sealedStorage) open(scope Scope, key string, sealed []byte) ([]byte, error) {
	why := errs.ErrNotSealed
	if len(sealed) > s.seals[0].Overhead() && sealed[0] == sealVersion {
		why = errs.ErrSealed
		for _, seal := range s.seals {
			if value, err := seal.Open(nil, nil, sealed[1:], place(scope, key)); err == nil {
				return value, nil
			}
		}
	}
	return nil, &errs.StorageError{Op: "decode", Key: key, OriginalError: why}
}

func (s *sealedStorage) Get(ctx context.Context, scope Scope, key string) ([]byte, bool, error) {
	sealed, ok, err := s.Storage.Get(ctx, scope, key)
	if !ok || err != nil {
		return nil, false, err
	}
	value, err := s.open(scope, key, sealed)
	return value, err == nil, err
}

func (s *sealedStorage) Set(ctx context.Context, scope Scope, key string, value []byte) error {
	return s.Storage.Set(ctx, scope, key, s.seal(scope, key, value))
}

type sealedSharedStorage struct {
	*sealedStorage
	shared SharedStorage
}

// Swap compares what is sealed. It looks again when the seal it found was
// replaced meanwhile, perhaps by one around the same value.
func (s *sealedSharedStorage) Swap(ctx context.Context, scope Scope, key string, old, value []byte) (bool, error) {
	for {
		sealed, exists, err := s.shared.Get(ctx, scope, key)
		if err != nil {
			return false, err
		}
		var current, fresh []byte
		if !exists {
			sealed = nil
		} else {
			if current, err = s.open(scope, key, sealed); err != nil {
				return false, err
			}
		}
		if !unchanged(current, exists, old) {
			return false, nil
		}
		if value != nil {
			fresh = s.seal(scope, key, value)
		}
		if swapped, err := s.shared.Swap(ctx, scope, key, sealed, fresh); swapped || err != nil {
			return swapped, err
		}
	}
}
