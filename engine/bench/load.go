package bench

import (
	"fmt"
	"io"

	"quire/engine"
)

// Load is what opening the model took.
type Load struct {
	Seconds       float64 `json:"seconds"`         // in all, from its header to where it may be asked
	Bytes         int64   `json:"bytes"`           // of weights, as they are in the file
	WeightSeconds float64 `json:"weight_seconds"`  // from the first of them that was read to the last that was in place
	GBPerSecond   float64 `json:"gb_per_second"`   // 10⁹ bytes of weights in that time
	Kernels       int     `json:"kernels"`         // compiled
	KernelSeconds float64 `json:"kernel_seconds"`  // while at least one was
	PeakHostBytes int64   `json:"peak_host_bytes"` // the most memory that the process had, until then; 0: not known
}

func newLoad(info engine.Info, bytes int64) Load {
	l := Load{Seconds: info.LoadTime.Seconds(), Bytes: bytes, WeightSeconds: info.WeightTime.Seconds(), Kernels: info.Kernels.Compiled,
		KernelSeconds: info.Kernels.Time.Seconds(), PeakHostBytes: peakHostBytes()}
	if l.WeightSeconds > 0 {
		l.GBPerSecond = float64(bytes) / 1e9 / l.WeightSeconds
	}
	return l
}

// print writes a line.
func (l Load) print(w io.Writer) {
	fmt.Fprintf(w, "load: %.2f s; weights %.2f s, %.2f GB/s; %d kernels %.2f s", l.Seconds, l.WeightSeconds, l.GBPerSecond, l.Kernels, l.KernelSeconds)
	if l.PeakHostBytes > 0 {
		fmt.Fprintf(w, "; %s of host memory at most", bytesText(uint64(l.PeakHostBytes)))
	}
	fmt.Fprintln(w)
}
