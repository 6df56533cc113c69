package pull

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A server that speaks HTTP/2 is asked over connections all the same.
func TestConnectionsAreNotShared(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(r.Proto)) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	to := connections(4)
	to.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
	to.TLSClientConfig.RootCAs.AddCert(s.Certificate())
	for want, client := range map[string]*http.Client{"HTTP/2.0": s.Client(), "HTTP/1.1": {Transport: to}} {
		r, err := client.Get(s.URL)
		require.NoError(t, err)
		r.Body.Close()
		assert.Equal(t, want, r.Proto)
	}
}
