package session

import (
	"context"
	"errors"
	"time"

	"github.com/callrx/callrx/errs"
)

// What several processes that share a storage do by turns is written by Swap.
const (
	beatPeriod = 1500 * time.Millisecond // between two signs of life of an owner
	lease      = 5 * time.Second         // an owner that gave none for so long is gone
	swapTries  = 100
)

var errContended = errors.New("other processes write all the time")

// shared is the storage if several processes may write to it, else nil.
func (s *store) shared() SharedStorage {
	shared, _ := s.storage.(SharedStorage)
	return shared
}

// amend queues a change of the records under key. edit may be called again, when
// another process was faster, and says whether there is anything to write. done
// is told whether the storage has taken it.
func (s *store) amend(key string, edit func(attachRecords) bool, done func(ok bool)) {
	if s.storage == nil {
		return
	}
	s.do(func() {
		_, ok := access(s.ctx, s, "write", lease, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, s.amendNow(ctx, key, edit)
		})
		if done != nil {
			done(ok)
		}
	})
}

func (s *store) amendNow(ctx context.Context, key string, edit func(attachRecords) bool) error {
	for range swapTries {
		stored, ok, err := s.getRecords(ctx, key)
		if isDamaged(err) {
			if err = s.storage.Delete(ctx, s.scope, key); err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		if ok && stored == nil {
			stored = []byte{} // which is not no value
		}
		records, _ := decodeRecords(stored) // what makes no sense is replaced
		if !edit(records) {
			return nil
		}
		value, err := records.encode()
		if err != nil {
			return err
		}
		if done, err := s.replace(ctx, key, stored, value); done || err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return errContended
}

// getRecords asks the storage. What is sealed although the storage is not is no
// damage either.
func (s *store) getRecords(ctx context.Context, key string) ([]byte, bool, error) {
	stored, ok, err := s.storage.Get(ctx, s.scope, key)
	if err == nil && len(stored) > 0 && stored[0] == sealVersion { // JSON does not begin so
		return nil, false, &errs.StorageError{Op: "decode", Key: key, OriginalError: errs.ErrSealed}
	}
	return stored, ok, err
}

// isDamaged: the storage finds that what is there is not what was written, or was
// not kept from others. What is sealed may be sound, for whoever has its key: it is
// left alone.
func isDamaged(err error) bool {
	if errors.Is(err, errs.ErrExposed) || errors.Is(err, errs.ErrDamaged) {
		return true
	}
	var typed *errs.StorageError
	return errors.As(err, &typed) && typed.Op == "decode" && !errors.Is(err, errs.ErrSealed)
}

// replace reports false when another process was faster.
func (s *store) replace(ctx context.Context, key string, old, value []byte) (bool, error) {
	if shared := s.shared(); shared != nil {
		return shared.Swap(ctx, s.scope, key, old, value)
	}
	if value == nil {
		return true, s.storage.Delete(ctx, s.scope, key)
	}
	return true, s.storage.Set(ctx, s.scope, key, value)
}

// write is an edit that writes records of owner's, to be next's from then on. What
// another has is left alone, and told in lost.
func (mine attachRecords) write(owner, next string, lost *[]string) func(attachRecords) bool {
	return func(all attachRecords) bool {
		*lost = nil
		for id, r := range mine {
			old, ok := all[id]
			if ok && old.Owner != owner {
				*lost = append(*lost, id)
				continue
			}
			r.Owner, r.Beat = next, old.Beat+1
			all[id] = r
		}
		return len(*lost) < len(mine)
	}
}
