package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	openaihttp "quire/engine/openai/http"
)

// listen takes the address.
func (c *serveCommand) listen() (net.Listener, error) {
	if c.TLSCert != "" {
		if _, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey); err != nil {
			return nil, fmt.Errorf("--tls-cert and --tls-key: %w", plainTLS(err))
		}
	}
	l, err := net.Listen("tcp", c.Addr)
	var lookup *net.DNSError
	var system *os.SyscallError
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another program; --addr takes another address, and with port 0 any port that is free", c.Addr)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s: this is not permitted; ports below 1024 are the administrator's", c.Addr)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("%s is no address of this machine", c.Addr)
	case errors.As(err, &lookup):
		return nil, fmt.Errorf("%s: no address is known under this name", c.Addr)
	case errors.As(err, &system):
		return nil, fmt.Errorf("%s: %w", c.Addr, system.Err)
	}
	return nil, fmt.Errorf("%s is no address to listen at", c.Addr)
}

// plainTLS says what is wrong with a certificate or its key.
func plainTLS(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return err
	}
	return errors.New(strings.TrimPrefix(err.Error(), "tls: "))
}

// hosts are the names that requests may come under: on a loopback address the machine's own, so that no page elsewhere reaches the
// server by a name that leads here.
func (c *serveCommand) hosts(at net.Addr) []string {
	tcp, ok := at.(*net.TCPAddr)
	if ok && tcp.IP.IsLoopback() || len(c.AllowHost) > 0 {
		return slices.Concat(openaihttp.Loopback, c.AllowHost)
	}
	return nil
}

// url is the server's address as a browser takes it.
func (c *serveCommand) url(at net.Addr) string {
	scheme, host := "http", at.String()
	if c.TLSCert != "" {
		scheme = "https"
	}
	if tcp, ok := at.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		host = net.JoinHostPort("localhost", strconv.Itoa(tcp.Port))
	}
	return scheme + "://" + host
}

// checkOrigin says what is wrong with an origin of --cors.
func checkOrigin(origin string) error {
	if origin == "*" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme == "" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return fmt.Errorf("an origin is a scheme, a host and perhaps a port, such as https://example.org, not %q", origin)
	}
	return nil
}

// checkName says what is wrong with a name of --allow-host.
func checkName(name string) error {
	if _, err := netip.ParsePrefix(name); err == nil {
		return nil
	}
	if _, err := netip.ParseAddr(name); err == nil || name == "*" {
		return nil
	}
	if bare := strings.TrimPrefix(name, "*."); bare == "" || strings.ContainsAny(bare, "*/:[]@? ") {
		return fmt.Errorf("a name is a host without scheme and port, such as llm.example.org or *.example.org, or an address, not %q", name)
	}
	return nil
}

// readKeys gathers the keys that requests must show.
func (c *serveCommand) readKeys() (*openaihttp.Keys, error) {
	keys := &openaihttp.Keys{}
	for i, secret := range c.Key {
		if err := keys.Add(fmt.Sprintf("key %d", i+1), secret); err != nil {
			return nil, usagef("--api-key: %s", err)
		}
	}
	if c.Keys == "" {
		return keys, nil
	}
	f, err := os.Open(c.Keys)
	if err != nil {
		return nil, fmt.Errorf("--api-keys: %w", err)
	}
	defer f.Close()
	before := keys.Len()
	if err := keys.Read(f); err != nil {
		return nil, fmt.Errorf("--api-keys: %s: %w", c.Keys, err)
	}
	if keys.Len() == before {
		return nil, fmt.Errorf("--api-keys: %s holds no key", c.Keys)
	}
	return keys, nil
}
