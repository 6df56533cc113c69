package http

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func secrets(t *testing.T, pairs ...string) *Keys {
	k := &Keys{}
	for i := 0; i < len(pairs); i += 2 {
		require.NoError(t, k.Add(pairs[i], pairs[i+1]))
	}
	return k
}

func TestWhoMayCall(t *testing.T) {
	page := fstest.MapFS{"index.html": {Data: []byte("<!doctype html>the page")}, "gpu/gpu.js": {Data: []byte("script")}}
	keys := secrets(t, "ann", "secret-of-ann", "bob", "secret-of-bob")
	base := Options{Hosts: Loopback, Origins: []string{"https://example.org"}, MaxBody: 100, Page: page}
	closed := base
	closed.Keys = keys
	tests := []struct {
		name    string
		options Options
		method  string
		path    string
		header  map[string]string
		body    string
		status  int
		says    string
	}{
		{"plain", base, "POST", "/v1/chat/completions", nil, "{}", 200, "POST /v1/chat/completions  {}"},
		{"localhost", base, "GET", "/v1/models", map[string]string{"Host": "localhost:99"}, "", 200, ""},
		{"a name below localhost", base, "GET", "/v1/models", map[string]string{"Host": "quire.localhost"}, "", 200, ""},
		{"IPv6", base, "GET", "/v1/models", map[string]string{"Host": "[::1]:80"}, "", 200, ""},
		{"IPv6 in full", base, "GET", "/v1/models", map[string]string{"Host": "[0:0:0:0:0:0:0:1]:80"}, "", 200, ""},
		{"IPv4 in IPv6", base, "GET", "/v1/models", map[string]string{"Host": "[::ffff:127.0.0.1]"}, "", 200, ""},
		{"another address of IPv6", base, "GET", "/v1/models", map[string]string{"Host": "[::2]:80"}, "", 403, "host_not_allowed"},
		{"a dot at the end", base, "GET", "/v1/models", map[string]string{"Host": "LocalHost.:80"}, "", 200, ""},
		{"another loopback address", base, "GET", "/v1/models", map[string]string{"Host": "127.8.9.1"}, "", 200, ""},
		{"wrong host", base, "GET", "/v1/models", map[string]string{"Host": "evil.example"}, "", 403, "evil.example"},
		{"a host that begins right", base, "GET", "/", map[string]string{"Host": "localhost.evil.example"}, "", 403, "host_not_allowed"},
		{"a host that ends right", base, "GET", "/", map[string]string{"Host": "evillocalhost"}, "", 403, "host_not_allowed"},
		{"an address elsewhere", base, "GET", "/", map[string]string{"Host": "192.0.2.1"}, "", 403, "host_not_allowed"},
		{"wrong host of the page", base, "GET", "/index.html", map[string]string{"Host": "evil.example"}, "", 403, "host_not_allowed"},
		{"any host", Options{}, "GET", "/v1/models", map[string]string{"Host": "evil.example"}, "", 200, ""},
		{"foreign origin", base, "POST", "/v1/chat/completions", map[string]string{"Origin": "https://evil.example"}, "{}", 403, "origin_not_allowed"},
		{"foreign preflight", base, "OPTIONS", "/v1/chat/completions", map[string]string{"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}, "", 403, "origin_not_allowed"},
		{"an origin that is none", base, "POST", "/v1/chat/completions", map[string]string{"Origin": "null"}, "{}", 403, "origin_not_allowed"},
		{"an origin of another scheme", base, "POST", "/v1/chat/completions", map[string]string{"Origin": "http://example.org"}, "{}", 403, "origin_not_allowed"},
		{"listed origin", base, "POST", "/v1/chat/completions", map[string]string{"Origin": "https://example.org"}, "{}", 200, ""},
		{"preflight", base, "OPTIONS", "/v1/chat/completions", map[string]string{"Origin": "https://example.org", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}, "", 204, ""},
		{"all origins", Options{Origins: []string{"*"}}, "POST", "/v1/x", map[string]string{"Origin": "https://evil.example"}, "{}", 200, ""},
		{"options without a preflight", base, "OPTIONS", "/v1/models", nil, "", 200, "OPTIONS /v1/models"},
		{"no key", closed, "POST", "/v1/chat/completions", nil, "{}", 401, "missing_api_key"},
		{"wrong key", closed, "POST", "/v1/chat/completions", map[string]string{"Authorization": "Bearer secret-of-eve"}, "{}", 401, "invalid_api_key"},
		{"a part of a key", closed, "GET", "/v1/models", map[string]string{"Authorization": "Bearer secret-of-an"}, "", 401, "invalid_api_key"},
		{"basic", closed, "GET", "/v1/models", map[string]string{"Authorization": "Basic secret-of-ann"}, "", 401, "missing_api_key"},
		{"key", closed, "POST", "/v1/x", map[string]string{"Authorization": "Bearer secret-of-bob"}, "{}", 200, "POST /v1/x bob {}"},
		{"key in another header", closed, "POST", "/v1/x", map[string]string{"X-Api-Key": "secret-of-ann"}, "{}", 200, "POST /v1/x ann {}"},
		{"page without a key", closed, "GET", "/", nil, "", 200, "the page"},
		{"health without a key", closed, "GET", "/health", nil, "", 200, "GET /health"},
		{"page", base, "GET", "/gpu/gpu.js", nil, "", 200, "script"},
		{"a folder of the page", base, "GET", "/gpu", nil, "", 200, "GET /gpu"},
		{"no page", Options{}, "GET", "/", nil, "", 200, "Quire is running"},
		{"up", base, "GET", "/gpu/../../etc/passwd", nil, "", 404, "unknown_url"},
		{"up, escaped", base, "GET", "/gpu/%2e%2e/%2e%2e/etc/passwd", nil, "", 404, "unknown_url"},
		{"up, with backslashes", base, "GET", "/gpu/..%5C..%5Cetc", nil, "", 404, "unknown_url"},
		{"two slashes", base, "GET", "//v1/models", nil, "", 404, "unknown_url"},
		{"a dot", base, "GET", "/v1/./models", nil, "", 404, "unknown_url"},
		{"zero", base, "GET", "/v1/%00", nil, "", 404, "unknown_url"},
		{"an escaped slash", base, "GET", "/v1/models/owner%2Frepo", nil, "", 200, "/v1/models/owner/repo"},
		{"large", base, "POST", "/v1/x", nil, strings.Repeat("x", 101), 413, "request_too_large"},
		{"just not large", base, "POST", "/v1/x", nil, strings.Repeat("x", 100), 200, "xxx"},
		{"compressed", base, "POST", "/v1/x", map[string]string{"Content-Encoding": "gzip"}, "{}", 415, "unsupported_encoding"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, echo, tt.options)
			r, err := http.NewRequest(tt.method, s.URL+tt.path, strings.NewReader(tt.body))
			require.NoError(t, err)
			for name, value := range tt.header {
				if r.Header.Set(name, value); name == "Host" {
					r.Host = value
				}
			}
			a, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			body, err := io.ReadAll(a.Body)
			require.NoError(t, err)
			assert.Equal(t, tt.status, a.StatusCode, string(body))
			assert.Contains(t, string(body), tt.says)
			assert.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"))
			if origin := tt.header["Origin"]; tt.status < 300 && origin != "" {
				assert.Equal(t, origin, a.Header.Get("Access-Control-Allow-Origin"))
			} else {
				assert.Empty(t, a.Header.Get("Access-Control-Allow-Origin"))
			}
		})
	}
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where no time passes
		h := New(echo, Options{RequestsPerMinute: 2, Keys: secrets(t, "ann", "secret-of-ann", "bob", "secret-of-bob")})
		ask := func(key string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(http.MethodPost, "/v1/x", nil)
			r.Header.Set("Authorization", "Bearer "+key)
			a := httptest.NewRecorder()
			h.ServeHTTP(a, r)
			return a
		}
		a := ask("secret-of-ann")
		assert.Equal(t, 200, a.Code)
		assert.Equal(t, "2", a.Header().Get("x-ratelimit-limit-requests"))
		assert.Equal(t, "1", a.Header().Get("x-ratelimit-remaining-requests"))
		assert.Equal(t, "30s", a.Header().Get("x-ratelimit-reset-requests"))
		assert.Equal(t, 200, ask("secret-of-ann").Code)
		time.Sleep(500 * time.Millisecond)
		a = ask("secret-of-ann")
		assert.Equal(t, 429, a.Code)
		assert.Equal(t, "30", a.Header().Get("Retry-After"), "of 29.5 seconds")
		assert.Contains(t, a.Body.String(), `"code":"rate_limit_exceeded"`)
		assert.Equal(t, 200, ask("secret-of-bob").Code, "another key has its own")
		assert.Equal(t, 401, ask("secret-of-eve").Code)
		time.Sleep(30 * time.Second)
		assert.Equal(t, 200, ask("secret-of-ann").Code)
	})
}

// Tokens are paid when they are known; what is owed is waited for.
func TestTokenLimit(t *testing.T) {
	l := newLimits(0, 600)
	now := time.Now()
	require.Nil(t, l.take(http.Header{}, "ann", now))
	l.spend("ann", 1500)
	header := http.Header{}
	require.NotNil(t, l.take(header, "ann", now))
	assert.Equal(t, "91", header.Get("Retry-After"), "900 are owed, and one is needed, of ten a second")
	assert.Equal(t, "0", header.Get("X-Ratelimit-Remaining-tokens"))
	assert.Nil(t, l.take(http.Header{}, "bob", now))
	assert.Nil(t, l.take(http.Header{}, "ann", now.Add(92*time.Second)))
}

func TestKeysFile(t *testing.T) {
	k := &Keys{}
	require.NoError(t, k.Read(strings.NewReader("# who may call\nann secret-of-ann\n\nsecret-of-nobody\n")))
	assert.Equal(t, 2, k.Len())
	name, ok := k.find("secret-of-nobody")
	assert.True(t, ok)
	assert.Equal(t, "line 4", name)
	for text, says := range map[string]string{
		"ann short":                            "at least 8",
		"ann secret of ann":                    "4 words",
		"ann secret-of-ann\nann secret-of-an":  `line 2: two keys have the name "ann"`,
		"ann secret-of-ann\nbob secret-of-ann": "line 2: a key comes twice",
		"ann sécret-of-ann":                    "ASCII",
	} {
		assert.ErrorContains(t, (&Keys{}).Read(strings.NewReader(text)), says)
	}
}
