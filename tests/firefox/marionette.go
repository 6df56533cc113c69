//go:build !js

package firefox

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
)

// marionette is a connection to Firefox's remote protocol: messages are JSON behind their length in bytes and a colon,
// a call is [0, id, name, parameters], its answer [1, id, error, result].
type marionette struct {
	connection net.Conn
	reader     *bufio.Reader
	mu         sync.Mutex // held during a call
	id         int
}

// connect takes up the connection and hears Firefox's greeting.
func connect(ctx context.Context, address string) (*marionette, error) {
	var d net.Dialer
	connection, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	m := &marionette{connection: connection, reader: bufio.NewReader(connection)}
	defer m.until(ctx)()
	var greeting struct {
		Protocol int `json:"marionetteProtocol"`
	}
	if err := m.receive(&greeting); err != nil {
		connection.Close()
		return nil, err
	}
	if greeting.Protocol != 3 {
		connection.Close()
		return nil, fmt.Errorf("it speaks version %d of Marionette, not 3", greeting.Protocol)
	}
	return m, nil
}

// until breaks the connection off when ctx ends before the function that it returns is called.
func (m *marionette) until(ctx context.Context) func() {
	stop := context.AfterFunc(ctx, func() { m.connection.Close() })
	return func() { stop() }
}

// remoteError is an error that Firefox answered with.
type remoteError struct {
	Name    string `json:"error"`
	Message string `json:"message"`
}

func (e *remoteError) Error() string { return e.Name + ": " + e.Message }

// call sends a command and puts what it answers into result, where that is not nil. When ctx ends, the connection does.
func (m *marionette) call(ctx context.Context, name string, parameters, result any) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer m.until(ctx)()
	m.id++
	err := m.exchange([]any{0, m.id, name, parameters}, result)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		return fmt.Errorf("%s: Firefox has ended", name)
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (m *marionette) exchange(message, result any) error {
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(m.connection, "%d:%s", len(text), text); err != nil {
		return err
	}
	var failure *remoteError
	var kind, id int
	if err := m.receive(&[]any{&kind, &id, &failure, result}); err != nil {
		return err
	}
	switch {
	case kind != 1 || id != m.id:
		return fmt.Errorf("answer %d to message %d came instead of that to %d", kind, id, m.id)
	case failure != nil:
		return failure
	}
	return nil
}

// receive reads a message.
func (m *marionette) receive(value any) error {
	length, err := m.reader.ReadString(':')
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil {
		return err
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(m.reader, text); err != nil {
		return err
	}
	return json.Unmarshal(text, value)
}

func (m *marionette) close() { m.connection.Close() }
