//go:build !js

// Package hubtest serves models by the protocol of Hugging Face's hub: descriptions and refusals from one host, content from another
// that the first redirects to, with the faults of real servers on demand.
package hubtest

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Repo is a repository.
type Repo struct {
	Files     map[string][]byte // large ones, whose content is on the other host
	Small     map[string][]byte // in git: the hub serves them itself
	Gated     bool              // only a token of Server.Allowed may read
	Private   bool
	Revisions []string // beside main and the commit
}

// Request is what a server was asked.
type Request struct {
	Content       bool // of the host of contents
	Method, Path  string
	Range         string
	Authorization string
}

// Server is a hub and the host of its contents.
type Server struct {
	Hub, Content *httptest.Server
	Allowed      string // a token that may read everything
	Known        string // a token of somebody who has accepted nothing

	// NoListing leaves only the listing in pages, as a mirror may.
	NoListing bool
	// Fault, if set, may answer a request for content in the server's place: then it returns true.
	Fault func(w http.ResponseWriter, r *http.Request, data []byte) bool

	mu       sync.Mutex
	repos    map[string]*Repo
	requests []Request
}

// New starts a server; it ends with the test.
func New(t testing.TB) *Server {
	s := &Server{repos: map[string]*Repo{}, Allowed: "hf_allowed", Known: "hf_known"}
	s.Hub = httptest.NewServer(shared(s.hub))
	s.Content = httptest.NewServer(shared(s.content))
	t.Cleanup(s.Hub.Close)
	t.Cleanup(s.Content.Close)
	return s
}

// shared lets pages of other origins ask, as the hub does.
func shared(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Expose-Headers", "X-Repo-Commit,X-Error-Code,X-Error-Message,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag")
		if r.Method == http.MethodOptions {
			w.Header().Set("Access-Control-Allow-Headers", "Authorization,Range")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next(w, r)
	})
}

// Put adds a repository, or replaces it.
func (s *Server) Put(name string, r Repo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repos[name] = &r
}

// Requests gives what was asked since the last call.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.requests
	s.requests = nil
	return all
}

func (s *Server) note(content bool, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, Request{content, r.Method, r.URL.Path, r.Header.Get("Range"), r.Header.Get("Authorization")})
}

// Commit is a repository's commit: it changes with its files.
func (r *Repo) Commit() string {
	h := sha1.New()
	for _, files := range []map[string][]byte{r.Files, r.Small} {
		for _, name := range names(files) {
			fmt.Fprintf(h, "%s %s\n", name, sha(files[name]))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func names(files map[string][]byte) (all []string) {
	for name := range files {
		all = append(all, name)
	}
	sort.Strings(all)
	return all
}

func sha(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func gitName(data []byte) string {
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", len(data))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// pointer is what git has of a large file.
func pointer(data []byte) []byte {
	return fmt.Appendf(nil, "version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", sha(data), len(data))
}

// refuse answers as the hub does.
func refuse(w http.ResponseWriter, status int, code, message string) {
	if code != "" {
		w.Header().Set("X-Error-Code", code)
	}
	w.Header().Set("X-Error-Message", message)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"error": message})
}

// find gives the repository that a request is about, or refuses.
func (s *Server) find(w http.ResponseWriter, r *http.Request, name string) *Repo {
	s.mu.Lock()
	repo := s.repos[name]
	s.mu.Unlock()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case token != "" && token != s.Allowed && token != s.Known:
		refuse(w, http.StatusUnauthorized, "", "Invalid credentials in Authorization header")
	case (repo == nil || repo.Private) && token == "":
		refuse(w, http.StatusUnauthorized, "", "Invalid username or password.")
	case repo == nil || repo.Private && token != s.Allowed:
		refuse(w, http.StatusNotFound, "RepoNotFound", "Repository not found")
	default:
		return repo
	}
	return nil
}

func (s *Server) hub(w http.ResponseWriter, r *http.Request) {
	s.note(false, r)
	parts := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	for i, part := range parts { // a revision may have a slash in it
		parts[i], _ = url.PathUnescape(part)
	}
	if len(parts) == 4 && parts[0] == "api" && parts[1] == "models" {
		parts = append(parts, "revision", "main")
	}
	if len(parts) >= 6 && parts[0] == "api" && parts[1] == "models" {
		s.api(w, r, parts[2]+"/"+parts[3], parts[4], strings.Join(parts[5:], "/"))
		return
	}
	if len(parts) < 5 || parts[2] != "resolve" {
		refuse(w, http.StatusNotFound, "", "Sorry, we can't find the page you are looking for.")
		return
	}
	repo := s.find(w, r, parts[0]+"/"+parts[1])
	if repo == nil {
		return
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case repo.Gated && token == "":
		refuse(w, http.StatusUnauthorized, "GatedRepo", "Access to this model is restricted. You must have access to it and be authenticated to access it.")
		return
	case repo.Gated && token != s.Allowed:
		refuse(w, http.StatusForbidden, "GatedRepo", "Access to this model is restricted and you are not in the authorized list.")
		return
	case !repo.has(parts[3]):
		refuse(w, http.StatusNotFound, "RevisionNotFound", "Invalid rev id: "+parts[3])
		return
	}
	file := strings.Join(parts[4:], "/")
	w.Header().Set("X-Repo-Commit", repo.Commit())
	if data, ok := repo.Small[file]; ok {
		w.Header().Set("ETag", `"`+gitName(data)+`"`)
		http.ServeContent(w, r, file, time.Time{}, bytes.NewReader(data))
		return
	}
	data, ok := repo.Files[file]
	if !ok {
		refuse(w, http.StatusNotFound, "EntryNotFound", "Entry not found")
		return
	}
	w.Header().Set("X-Linked-Etag", `"`+sha(data)+`"`)
	w.Header().Set("X-Linked-Size", strconv.Itoa(len(data)))
	w.Header().Set("ETag", `"`+gitName(pointer(data))+`"`)
	// The same machine by another name, and another port.
	elsewhere := strings.Replace(s.Content.URL, "127.0.0.1", "localhost", 1)
	w.Header().Set("Location", fmt.Sprintf("%s/%s/%s?X-Signature=abc", elsewhere, sha(data), file))
	w.WriteHeader(http.StatusFound)
}

func (r *Repo) has(revision string) bool {
	return revision == "main" || revision == r.Commit() || slices.Contains(r.Revisions, revision)
}

// pageSize is how many entries a page of the listing in pages has.
const pageSize = 3

func (s *Server) api(w http.ResponseWriter, r *http.Request, name, what, revision string) {
	repo := s.find(w, r, name)
	switch {
	case repo == nil:
		return
	case !repo.has(revision):
		refuse(w, http.StatusNotFound, "RevisionNotFound", "Invalid rev id: "+revision)
		return
	case what == "revision" && s.NoListing, what != "revision" && what != "tree":
		refuse(w, http.StatusNotFound, "", "not here")
		return
	}
	type lfs struct {
		SHA256      string `json:"sha256,omitempty"`
		OID         string `json:"oid,omitempty"`
		Size        int    `json:"size"`
		PointerSize int    `json:"pointerSize"`
	}
	var all []map[string]any
	add := func(path string, data []byte, large bool) {
		entry := map[string]any{"size": len(data)}
		id, l := gitName(data), lfs{Size: len(data), PointerSize: len(pointer(data))}
		if large {
			id = gitName(pointer(data))
		}
		if what == "revision" {
			entry["rfilename"], entry["blobId"], l.SHA256 = path, id, sha(data)
		} else {
			entry["path"], entry["oid"], entry["type"], l.OID = path, id, "file", sha(data)
		}
		if large {
			entry["lfs"] = l
		}
		all = append(all, entry)
	}
	for _, path := range names(repo.Files) {
		add(path, repo.Files[path], true)
	}
	for _, path := range names(repo.Small) {
		add(path, repo.Small[path], false)
	}
	w.Header().Set("Content-Type", "application/json")
	if what == "revision" {
		json.NewEncoder(w).Encode(map[string]any{"id": name, "modelId": name, "sha": repo.Commit(), "private": repo.Private, "gated": false, "siblings": all})
		return
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
	from = min(max(from, 0), len(all))
	to := min(from+pageSize, len(all))
	if to < len(all) {
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?recursive=true&cursor=%d>; rel="next"`, s.Hub.URL, r.URL.Path, to))
	}
	json.NewEncoder(w).Encode(all[from:to])
}

// content serves files by their sums, on a host of its own.
func (s *Server) content(w http.ResponseWriter, r *http.Request) {
	s.note(true, r)
	key, file, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.mu.Lock()
	var data []byte
	for _, repo := range s.repos {
		if d, ok := repo.Files[file]; ok && sha(d) == key {
			data = d
		}
	}
	fault := s.Fault
	s.mu.Unlock()
	switch {
	case data == nil || r.URL.Query().Get("X-Signature") == "":
		http.Error(w, "AccessDenied", http.StatusForbidden)
	case r.Method == http.MethodHead: // an address is signed for one method
		http.Error(w, "SignatureDoesNotMatch", http.StatusForbidden)
	case fault != nil && fault(w, r, data):
	default:
		w.Header().Set("ETag", `"`+key+`"`)
		http.ServeContent(w, r, file, time.Time{}, bytes.NewReader(data))
	}
}

// SHA256 is what a hub calls a large file.
func SHA256(data []byte) string { return sha(data) }
