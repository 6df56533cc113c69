package remote

import (
	"fmt"
	"os"

	"quire/engine/hub"
)

// startSpool makes the file that is streamed into when the first answer shows that the server has no ranges.
func (f *File) startSpool(offset int64) error {
	if f.spool != nil {
		return nil
	}
	if offset > 0 {
		return final(hub.Server, "the server has stopped serving parts of the file")
	}
	var err error
	if f.spool = f.options.Into; f.spool != nil {
		err = f.spool.Truncate(0)
	} else {
		f.spool, err = os.CreateTemp("", "quire-*.gguf")
	}
	if err != nil {
		return fmt.Errorf("the server sends the file only as a whole, and there is no room to keep it: %w", err)
	}
	return nil
}

// fill streams the file into the spool until it holds end bytes.
func (f *File) fill(end int64) error {
	if f.have >= end {
		return nil
	}
	buf := make([]byte, piece)
	return f.retry(func() (bool, error) {
		before := f.have
		err := f.pump(end, buf)
		if err != nil {
			f.disconnect()
		}
		return f.have > before, err
	})
}

// pump reads on until the spool holds end bytes.
func (f *File) pump(end int64, buf []byte) error {
	for f.have < end {
		if err := f.pour(buf); err != nil {
			if f.body != nil {
				err = f.body.early(err)
			}
			return err
		}
	}
	return nil
}

// pour reads one piece into the spool. A new connection starts over, and what is there already is passed by.
func (f *File) pour(buf []byte) error {
	if f.body == nil {
		if err := f.connect(0); err != nil {
			return err
		}
	}
	n, err := f.body.read(buf)
	if err != nil {
		return err
	}
	fresh := buf[:n]
	if start := f.body.at - int64(n); start < f.have {
		fresh = fresh[min(int64(n), f.have-start):]
	}
	if _, err := f.spool.WriteAt(fresh, f.have); err != nil {
		return fmt.Errorf("the server sends the file only as a whole, and it cannot be kept: %w", err)
	}
	f.have += int64(len(fresh))
	return nil
}

// learnSize streams a file of unstated size to its end.
func (f *File) learnSize() error {
	buf := make([]byte, piece)
	return f.retry(func() (bool, error) {
		before := f.have
		for {
			err := f.pour(buf)
			if err == errEnd {
				f.size = f.have
				return true, nil
			}
			if err != nil {
				f.disconnect()
				return f.have > before, err
			}
		}
	})
}
