package pull

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"quire/cmd/native/remote"
	"quire/engine/gguf"
	"quire/engine/hub"
)

// job is one pull.
type job struct {
	*Puller
	name    Name
	folder  string
	old     []File // that were there before
	meter   *meter
	fetched bool // something came
}

// fetchAll fetches the files that are not there yet.
func (j *job) fetchAll(ctx context.Context, r *resolution) ([]File, error) {
	var total, need int64
	for _, s := range r.files {
		total += max(s.size, 0)
		if !j.has(s) {
			need += j.lacks(s)
		}
	}
	if err := os.MkdirAll(j.folder, 0o755); err != nil {
		return nil, err
	}
	if err := j.checkRoom(need); err != nil {
		return nil, err
	}
	j.meter = newMeter(r.name.String(), total, j.tell)
	defer j.meter.stop()
	var files []File
	var finish []func() error // once all are there: a model is old or new, never a mixture
	for _, s := range r.files {
		f, last, err := j.fetch(ctx, s)
		if err != nil {
			return nil, err
		}
		files, finish = append(files, f), append(finish, last)
	}
	for _, last := range finish {
		if err := last(); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// known is what the cache says about a file; false where it says nothing, or not what the hub says now.
func (j *job) known(s source) (File, bool) {
	for _, f := range j.old {
		if f.Path == s.path && s.sum.kind != "" && (f.SHA256 == s.sum.hex || f.ETag == s.sum.hex) {
			return f, true
		}
	}
	return File{}, false
}

// has reports whether a file is there as the hub describes it.
func (j *job) has(s source) bool {
	f, ok := j.known(s)
	info, err := os.Stat(filepath.Join(j.folder, filepath.FromSlash(s.path)))
	return ok && err == nil && info.Size() == f.Size && (s.size < 0 || s.size == f.Size)
}

// lacks is how much room a file still needs.
func (j *job) lacks(s source) int64 {
	return max(0, s.size-taken(filepath.Join(j.folder, filepath.FromSlash(s.path))+partialEnd))
}

func (j *job) checkRoom(need int64) error {
	free := j.room(j.folder)
	if free < 0 || need <= free {
		return nil
	}
	return &Error{Text: fmt.Sprintf("%s: it needs %s more on the disk of %s, which has %s free", j.name, Size(need), j.Cache.folder, Size(free)),
		Hint: "\"quire list\" shows what is there, \"quire rm\" and \"quire prune\" make room. QUIRE_CACHE names another folder."}
}

// fetch fetches a file, or what is missing of it, and gives what puts it into its place.
func (j *job) fetch(ctx context.Context, s source) (File, func() error, error) {
	nothing := func() error { return nil }
	target := filepath.Join(j.folder, filepath.FromSlash(s.path))
	if j.has(s) {
		f, _ := j.known(s)
		j.meter.had(f.Size)
		return f, nothing, nil
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return File{}, nil, err
	}
	to, err := openPartial(target)
	if err != nil {
		return File{}, nil, err
	}
	defer to.file.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	o := j.remote()
	o.Into = to.file
	o.Waiting = func(reason string, wait time.Duration) {
		j.tell(Event{Stage: Retrying, Name: j.name.String(), Reason: reason, Wait: wait})
	}
	from, err := remote.Open(ctx, s.url, o)
	if err != nil {
		if to.note.Size == 0 { // nothing is there yet
			to.remove()
		}
		return File{}, nil, j.hub.explain(err, j.name, false)
	}
	defer from.Close()
	if f, ok := j.unchanged(target, from, s); ok {
		j.meter.expect(f.Size, s.size)
		j.meter.had(f.Size)
		to.remove()
		return f, nothing, nil
	}
	f, err := j.load(s, from, to, stop)
	if err == nil {
		err = to.file.Sync()
	}
	if err != nil {
		return File{}, nil, err
	}
	j.fetched = true
	return f, func() error { return to.finish(target) }, nil
}

// unchanged finds out whether an address that names no sum still has the file that is there.
func (j *job) unchanged(target string, from *remote.File, s source) (File, bool) {
	for _, f := range j.old {
		info, err := os.Stat(target)
		if f.Path == s.path && s.sum.kind == "" && f.ETag != "" && f.ETag == from.ETag() && f.Size == from.Size() && err == nil && info.Size() == f.Size {
			return f, true
		}
	}
	return File{}, false
}

// load takes a file's content, and checks it.
func (j *job) load(s source, from *remote.File, to *partial, stop func()) (File, error) {
	if s.sum.kind == "" { // a hub's address tells on the way
		s.sum = sumOf(from.Said("X-Linked-Etag"))
	}
	if s.sum.kind != "" {
		from.Summed()
	}
	size := from.Size()
	if s.size >= 0 && size != s.size {
		to.remove()
		return File{}, &Error{Text: fmt.Sprintf("%s: %s comes with %d bytes, and the hub says it has %d", j.name, s.path, size, s.size), Hint: "Try again. If it happens every time, take it from another server."}
	}
	start, err := j.checkKind(s, from)
	if err != nil {
		to.remove()
		return File{}, err
	}
	j.meter.expect(size, s.size)
	adder := newAdder(s.sum, size)
	if from.Ranges() {
		want := note{Name: j.name.String(), Size: size, Sum: s.sum.hex}
		if want.Sum == "" {
			want.ETag = from.ETag()
		}
		var missing []span
		if missing, err = to.goOn(want); err != nil {
			return File{}, err
		}
		if missing, err = to.begin(start, missing); err != nil {
			return File{}, err
		}
		left := int64(0)
		for _, m := range missing {
			left += m.end - m.at
		}
		if err := j.checkRoom(max(0, min(left, size-taken(to.path)))); err != nil {
			return File{}, err
		}
		j.meter.had(size - left)
		err = newDownload(to, adder, missing, j.options.Connections, j.smallest, j.meter.arrived).run(from, j.options.Connections, stop)
	} else {
		err = stream(from, adder, j.meter.arrived)
	}
	if err != nil {
		return File{}, j.told(err)
	}
	sha256, wrong := adder.result(s.sum)
	if wrong != "" {
		to.remove()
		return File{}, &Error{Text: fmt.Sprintf("%s: what came of %s is not the file: %s. It was deleted", j.name, s.path, wrong),
			Hint: "Pull it again. If it happens every time, the server or something on the way changes the file."}
	}
	f := File{Path: s.path, Size: size, SHA256: sha256}
	switch {
	case s.sum.kind == gitSum:
		f.ETag = s.sum.hex
	case s.sum.kind == "":
		f.ETag = from.ETag()
	}
	return f, nil
}

// checkKind reads a file's start, and refuses what is no model before all of it has come.
func (j *job) checkKind(s source, from *remote.File) ([]byte, error) {
	start := make([]byte, 4)
	if _, err := from.ReadAt(start, 0); err != nil && from.Size() >= int64(len(start)) {
		return nil, j.told(err)
	}
	if string(start) == "GGUF" {
		return start, nil
	}
	_, err := gguf.Read(from, from.Size())
	var network *hub.Error
	if err == nil || errors.As(err, &network) {
		return start, err
	}
	return nil, fmt.Errorf("%s: %s: %w", j.name, s.path, err)
}

// told is an error of a download in a user's words.
func (j *job) told(err error) error {
	if isFull(err) {
		return &Error{Text: fmt.Sprintf("%s: the disk of %s is full", j.name, j.Cache.folder), Err: err,
			Hint: "\"quire rm\" and \"quire prune\" make room. What has come is kept: pulling again goes on from there."}
	}
	return j.hub.explain(err, j.name, false)
}
