package pull

import (
	"encoding/json"
	"os"
	"slices"
)

// partial is a file that has not come as a whole, with a note beside it of what is missing.
type partial struct {
	path string
	file *os.File
	note note
}

// note is what is known of a partial file. What it lists as missing may be there; the rest is.
type note struct {
	Name    string     `json:"name"` // of the model
	Size    int64      `json:"bytes"`
	Sum     string     `json:"sum,omitempty"`
	ETag    string     `json:"etag,omitempty"` // where there is no sum
	Missing [][2]int64 `json:"missing"`        // from, to
}

// span are bytes that are to come, from at on.
type span struct{ at, end int64 }

// openPartial opens the file that is to become target, or makes it.
func openPartial(target string) (*partial, error) {
	p := &partial{path: target + partialEnd}
	var err error
	if p.file, err = os.OpenFile(p.path, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return nil, err
	}
	if text, err := os.ReadFile(p.path + recordEnd); err == nil {
		if json.Unmarshal(text, &p.note) != nil {
			p.note = note{}
		}
	}
	return p, nil
}

// goOn has what is there go on to be the file that want describes, or begins anew. It gives what is missing, in order.
func (p *partial) goOn(want note) ([]span, error) {
	info, err := p.file.Stat()
	if err != nil {
		return nil, err
	}
	same := p.note.Size == want.Size && p.note.Sum == want.Sum && p.note.ETag == want.ETag && want.Sum+want.ETag != "" && info.Size() == want.Size
	var missing []span
	for _, m := range p.note.Missing {
		s := span{m[0], m[1]}
		same = same && s.at >= 0 && s.at < s.end && s.end <= want.Size && (len(missing) == 0 || missing[len(missing)-1].end <= s.at)
		missing = append(missing, s)
	}
	if !same {
		missing = []span{{0, want.Size}}
		if err := p.file.Truncate(0); err != nil {
			return nil, err
		}
		if err := p.file.Truncate(want.Size); err != nil {
			return nil, err
		}
	}
	p.note = want
	return missing, p.save(missing)
}

// begin writes the file's first bytes, which have been read already, and gives what is then missing.
func (p *partial) begin(start []byte, missing []span) ([]span, error) {
	if len(missing) == 0 || missing[0].at != 0 || missing[0].end < int64(len(start)) {
		return missing, nil
	}
	missing[0].at = int64(len(start))
	_, err := p.file.WriteAt(start, 0)
	return missing, err
}

// save notes what is missing.
func (p *partial) save(missing []span) error {
	p.note.Missing = [][2]int64{}
	slices.SortFunc(missing, func(a, b span) int { return int(min(max(a.at-b.at, -1), 1)) })
	for _, s := range missing {
		if s.at < s.end {
			p.note.Missing = append(p.note.Missing, [2]int64{s.at, s.end})
		}
	}
	text, err := json.Marshal(p.note)
	if err != nil {
		return err
	}
	return replace(p.path+recordEnd, text)
}

// remove takes the partial file away.
func (p *partial) remove() {
	p.file.Close()
	os.Remove(p.path)
	os.Remove(p.path + recordEnd)
}

// finish makes the file, which is closed, what it was to become.
func (p *partial) finish(target string) error {
	if err := os.Rename(p.path, target); err != nil {
		return err
	}
	os.Remove(p.path + recordEnd)
	return nil
}
