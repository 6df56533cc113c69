package load

import (
	"slices"
	"time"
)

// Percentiles are of times, in milliseconds: half, nine of ten, and 99 of a hundred took no longer.
type Percentiles struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
}

func percentiles(times []time.Duration) Percentiles {
	slices.Sort(times)
	at := func(share int) float64 { // the nearest rank
		return 1e3 * times[max(0, (len(times)*share+99)/100-1)].Seconds()
	}
	return Percentiles{at(50), at(90), at(99)}
}

// summary makes a result of at least one answer.
func summary(all []answer, clients int, took time.Duration) *Result {
	r := &Result{Clients: clients, Requests: len(all)}
	first, each, whole := make([]time.Duration, len(all)), make([]time.Duration, len(all)), make([]time.Duration, len(all))
	var sum time.Duration
	for i, a := range all {
		first[i], each[i], whole[i] = a.first, a.each, a.whole
		r.Tokens += a.tokens
		sum += a.each
	}
	r.TokensPerSecond = float64(r.Tokens) / took.Seconds()
	if sum > 0 {
		r.DecodePerSecond = float64(clients*len(all)) / sum.Seconds()
	}
	r.First, r.Each, r.Whole = percentiles(first), percentiles(each), percentiles(whole)
	return r
}
