package http

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"quire/engine/openai"
)

// limits count what each key has had. A key's allowance of a minute fills up steadily.
type limits struct {
	perMinute [2]int // requests, tokens; 0: no limit
	mu        sync.Mutex
	keys      map[string]*[2]*rate.Limiter
}

const (
	requests = iota
	tokens
)

var limitNames = [2]string{"requests", "tokens"}

func newLimits(requestsPerMinute, tokensPerMinute int) *limits {
	return &limits{perMinute: [2]int{requestsPerMinute, tokensPerMinute}, keys: map[string]*[2]*rate.Limiter{}}
}

// of gives a key's limiters. There are no more of them than keys.
func (l *limits) of(key string) *[2]*rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	pair := l.keys[key]
	if pair == nil {
		pair = &[2]*rate.Limiter{}
		for kind, n := range l.perMinute {
			pair[kind] = rate.NewLimiter(rate.Limit(float64(n)/60), n)
		}
		l.keys[key] = pair
	}
	return pair
}

// take counts a request, or says that it comes too soon, and tells in headers what is left.
func (l *limits) take(header http.Header, key string, now time.Time) *openai.Error {
	if l.perMinute == [2]int{} {
		return nil
	}
	pair := l.of(key)
	var bad *openai.Error
	for kind, lim := range pair {
		if l.perMinute[kind] == 0 {
			continue
		}
		// Tokens are known, and paid, when a request has ended: one begins while anything is left.
		if bad == nil && (kind == tokens && lim.TokensAt(now) < 1 || kind == requests && !lim.AllowN(now, 1)) {
			wait := seconds((1 - lim.TokensAt(now)) / float64(lim.Limit()))
			header.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			bad = &openai.Error{Status: http.StatusTooManyRequests, Type: limitNames[kind], Code: "rate_limit_exceeded",
				Message: fmt.Sprintf("Rate limit reached: %d %s a minute. Please try again in %v.", l.perMinute[kind], limitNames[kind], wait.Round(time.Millisecond))}
		}
		left := lim.TokensAt(now)
		name := limitNames[kind]
		header.Set("X-Ratelimit-Limit-"+name, strconv.Itoa(l.perMinute[kind]))
		header.Set("X-Ratelimit-Remaining-"+name, strconv.Itoa(int(max(0, left))))
		header.Set("X-Ratelimit-Reset-"+name, seconds((float64(lim.Burst())-left)/float64(lim.Limit())).Round(time.Millisecond).String())
	}
	return bad
}

// spend takes the tokens of a request that has ended from its key's allowance, below nothing if need be.
func (l *limits) spend(key string, n int) {
	if l.perMinute[tokens] == 0 {
		return
	}
	lim, now := l.of(key)[tokens], time.Now()
	for n > 0 {
		some := min(n, lim.Burst())
		lim.ReserveN(now, some)
		n -= some
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
