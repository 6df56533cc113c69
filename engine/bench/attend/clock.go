package attend

import (
	"context"
	"slices"
	"time"

	"quire/engine/gpu"
)

const (
	enough     = 50 * time.Millisecond // of launches queued together
	splitAfter = 20 * time.Millisecond // launches longer than this are submitted one by one
	repeats    = 5
	mostQueued = 1000
)

// longest is how long all repeats may take, but for the first.
var longest = 3 * time.Second

// timing is how long one launch took.
type timing struct {
	wall, gpu            float64 // seconds; gpu is 0 where timestamps were not taken
	launches, dispatches int
}

// timeLaunch times what record records: once to warm up, then more and more to see how many launches to queue, then the
// median of a few rounds, and with stamps by the GPU's own clock as well.
func timeLaunch(ctx context.Context, d *gpu.Device, stamps bool, record func(*gpu.Recorder)) (timing, error) {
	var rec gpu.Recorder
	round := func(launches int, split bool) (time.Duration, error) {
		rec.Reset()
		for i := range launches {
			if split && i > 0 {
				rec.Split()
			}
			record(&rec)
		}
		start := time.Now()
		if err := d.Submit(&rec); err != nil {
			return 0, err
		}
		err := d.Idle(ctx)
		return time.Since(start), err
	}
	if _, err := round(1, false); err != nil {
		return timing{}, err
	}
	once, err := round(1, false)
	if err != nil {
		return timing{}, err
	}
	t := timing{dispatches: rec.Dispatches()}
	if once >= longest {
		t.wall, t.launches = once.Seconds(), 1
		if stamps {
			t.gpu, err = stamped(ctx, d, record)
		}
		return t, err
	}
	// Of a short launch on its own most is the way to the GPU and back, in a tab a millisecond.
	queued := 1
	for took := once; took < enough/2 && queued < mostQueued; {
		queued = min(1+int(enough*time.Duration(queued)/max(took, time.Microsecond)), mostQueued)
		if took, err = round(queued, once > splitAfter); err != nil {
			return timing{}, err
		}
	}
	var rounds []float64
	for begin := time.Now(); len(rounds) < repeats && (len(rounds) == 0 || time.Since(begin) < longest); {
		took, err := round(queued, once > splitAfter)
		if err != nil {
			return timing{}, err
		}
		rounds = append(rounds, took.Seconds()/float64(queued))
		t.launches += queued
	}
	t.wall = median(rounds)
	if stamps {
		t.gpu, err = stamped(ctx, d, record)
	}
	return t, err
}

// stamped times single launches by timestamps, at least one.
func stamped(ctx context.Context, d *gpu.Device, record func(*gpu.Recorder)) (float64, error) {
	var rounds []float64
	for begin := time.Now(); len(rounds) < repeats && (len(rounds) == 0 || time.Since(begin) < longest); {
		rec := gpu.Recorder{Profile: true}
		record(&rec)
		if err := d.Submit(&rec); err != nil {
			return 0, err
		}
		times, err := d.Timings(ctx, &rec)
		if err != nil {
			return 0, err
		}
		sum := 0.0
		for _, t := range times {
			sum += t.Nanoseconds
		}
		rounds = append(rounds, sum/1e9)
	}
	return median(rounds), nil
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}
