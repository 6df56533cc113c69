package pull

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// lockOf is the lock of a model's first file. Locks are empty files that stay: who removes one may take it from under another.
func (c *Cache) lockOf(first string) (*flock.Flock, error) {
	folder := filepath.Join(c.folder, "locks")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	key := sha256.Sum256([]byte(first))
	return flock.New(filepath.Join(folder, hex.EncodeToString(key[:8])+".lock")), nil
}

// lock waits until no other process and no other call has the model of a first file in work.
func (c *Cache) lock(ctx context.Context, first string, waiting func()) (unlock func(), err error) {
	l, err := c.lockOf(first)
	if err != nil {
		return nil, err
	}
	held, err := l.TryLock()
	if err == nil && !held {
		waiting()
		held, err = l.TryLockContext(ctx, 200*time.Millisecond)
	}
	if err != nil {
		return nil, err
	}
	return func() { l.Unlock() }, nil
}

// tryLock takes the lock of a first file where nobody has it.
func (c *Cache) tryLock(first string) (unlock func(), ok bool) {
	l, err := c.lockOf(first)
	if err != nil {
		return nil, false
	}
	if held, err := l.TryLock(); err != nil || !held {
		return nil, false
	}
	return func() { l.Unlock() }, true
}
