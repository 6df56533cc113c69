package pull

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"quire/cmd/native/remote"
	"quire/engine/hub"
)

// source is where a file's content is, and what is known of it before it comes.
type source struct {
	path string // below the model's folder in the cache
	url  string
	size int64 // negative: not known
	sum  sum
}

// resolution is what a name means on the network.
type resolution struct {
	name   Name // of the first file
	commit string
	files  []source
}

// resolve finds out which files a name means, and what they are.
func (p *Puller) resolve(ctx context.Context, n Name) (*resolution, error) {
	if p.hub.Offline {
		return nil, &Error{Text: n.String() + ": this is not in the cache, and HF_HUB_OFFLINE is set", Hint: "\"quire list\" shows what is there."}
	}
	if n.Repo == "" {
		return p.byAddress(n)
	}
	var files []listed
	if n.File == "" {
		all, err := p.listing(ctx, n)
		if err != nil {
			return nil, err
		}
		v, err := choose(n, all)
		if err != nil {
			return nil, err
		}
		files = v.files
	} else {
		for _, name := range partNames(n.File) {
			files = append(files, listed{path: name, size: -1})
		}
	}
	r := &resolution{name: n.of(files[0].path)}
	for _, f := range files {
		s, commit, err := p.describe(ctx, n.of(f.path), f)
		if err != nil {
			return nil, err
		}
		if r.commit != "" && commit != "" && commit != r.commit {
			return nil, &Error{Text: n.String() + ": the repository changed while it was read", Hint: "Try again."}
		}
		r.commit = commit
		r.files = append(r.files, s)
	}
	return r, nil
}

// byAddress names the files of an address: those of a split model come along.
func (p *Puller) byAddress(n Name) (*resolution, error) {
	first := firstOf(n)
	base := path.Base(first.Path)
	r := &resolution{name: Name{URL: first.Redacted()}}
	for _, name := range partNames(base) {
		at := *first
		if name != base {
			at.Path, at.RawPath = strings.TrimSuffix(first.Path, base)+name, ""
		}
		r.files = append(r.files, source{path: fileName(name), url: at.String(), size: -1})
	}
	return r, nil
}

// described is a repository's file as a hub's listings have it.
type described struct {
	Name string `json:"rfilename"`
	Path string `json:"path"`
	Type string `json:"type"`
	Size *int64 `json:"size"`
	LFS  *struct {
		SHA256 string `json:"sha256"`
		OID    string `json:"oid"`
		Size   *int64 `json:"size"`
	} `json:"lfs"`
}

func (d described) listed() listed {
	f := listed{path: d.Path, size: -1}
	if d.Name != "" {
		f.path = d.Name
	}
	if d.Size != nil {
		f.size = *d.Size
	}
	if d.LFS != nil {
		if d.LFS.Size != nil {
			f.size = *d.LFS.Size
		}
		for _, text := range []string{d.LFS.OID, d.LFS.SHA256} {
			if s := sumOf(text); s.kind == sha256Sum {
				f.sum = s
			}
		}
	}
	return f
}

// listing gives all files of a repository.
func (p *Puller) listing(ctx context.Context, n Name) ([]listed, error) {
	var about struct {
		Siblings []described `json:"siblings"`
	}
	address := p.hub.api(n, "revision", "blobs=true")
	_, err := p.askJSON(ctx, n, address, &about)
	all := about.Siblings
	if isKind(err, hub.NotFound) && !coded(err) || err == nil && all == nil {
		// A mirror may have the other listing only. It comes in pages.
		next := p.hub.api(n, "tree", "recursive=true")
		for pages := 0; next != "" && pages < maxPages; pages++ {
			var page []described
			header, treeErr := p.askJSON(ctx, n, next, &page)
			if treeErr != nil {
				return nil, cmp.Or(err, treeErr)
			}
			all = append(all, page...)
			if next, err = p.nextPage(next, header); err != nil {
				return nil, err
			}
		}
	}
	if err != nil {
		return nil, err
	}
	var files []listed
	for _, d := range all {
		f := d.listed()
		if d.Type == "directory" || !isModelFile(f.path) {
			continue
		}
		if err := checkPath(f.path); err != nil {
			return nil, &Error{Text: fmt.Sprintf("%s: %v", n, err), Hint: "The hub's listing is not to be trusted."}
		}
		files = append(files, f)
	}
	return files, nil
}

const maxPages = 1000

// nextPage reads where a listing goes on, which must be on the same host.
func (p *Puller) nextPage(at string, header http.Header) (string, error) {
	for link := range strings.SplitSeq(header.Get("Link"), ",") {
		target, rest, ok := strings.Cut(strings.TrimSpace(link), ">")
		if !ok || !strings.Contains(strings.ReplaceAll(rest, " ", ""), `rel="next"`) {
			continue
		}
		base, err := url.Parse(at)
		if err != nil {
			return "", err
		}
		next, err := base.Parse(strings.TrimPrefix(target, "<"))
		if err != nil || !sameHost(next, base) {
			return "", &Error{Text: at + ": the listing goes on at an address that cannot be asked for"}
		}
		return next.String(), nil
	}
	return "", nil
}

func (p *Puller) askJSON(ctx context.Context, n Name, address string, to any) (http.Header, error) {
	a, err := remote.Ask(ctx, http.MethodGet, address, p.remote())
	if err != nil {
		return nil, p.hub.explain(err, n, true)
	}
	if err := json.Unmarshal(a.Body, to); err != nil {
		return nil, &Error{Text: address + ": this is no listing of a hub", Hint: "Check HF_ENDPOINT.", Err: err}
	}
	return a.Header, nil
}

// coded reports whether a hub says itself what is wrong.
func coded(err error) bool {
	var network *hub.Error
	return errors.As(err, &network) && network.Code != ""
}

// describe asks what a file of a repository is. What its listing says stands in where the answer says nothing.
func (p *Puller) describe(ctx context.Context, n Name, f listed) (s source, commit string, err error) {
	s = source{path: f.path, url: p.hub.resolve(n), size: f.size, sum: f.sum}
	o := p.remote()
	client := *o.Client
	client.CheckRedirect = staysAtHome
	o.Client = &client
	a, err := remote.Ask(ctx, http.MethodHead, s.url, o)
	if err != nil {
		return s, "", p.hub.explain(err, n, true)
	}
	linked := a.Header.Get("X-Linked-Etag")
	if linked == "" && a.Status < 300 {
		linked = a.Header.Get("ETag")
	}
	if known := sumOf(linked); known.kind == sha256Sum || known.kind != "" && s.sum.kind == "" {
		s.sum = known
	}
	size := a.Header.Get("X-Linked-Size")
	if size == "" && a.Status < 300 {
		size = a.Header.Get("Content-Length")
	}
	if bytes, err := strconv.ParseInt(size, 10, 64); err == nil && bytes >= 0 {
		s.size = bytes
	}
	return s, a.Header.Get("X-Repo-Commit"), nil
}
