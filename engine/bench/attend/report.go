package attend

// Report is what attention does on an adapter.
type Report struct {
	Adapter   string   `json:"adapter"`
	Type      string   `json:"type"` // discrete, integrated, cpu, unknown
	Backend   string   `json:"backend"`
	Driver    string   `json:"driver"`
	Features  []string `json:"features"`
	Bandwidth float64  `json:"bandwidth_gb_per_second"` // 10⁹ bytes a second that kernels read
	Copy      float64  `json:"copy_gb_per_second"`      // 10⁹ bytes a second that copies read and write, together
	FMA       float64  `json:"fma_tflop_per_second"`    // 10¹² f32 operations a second, a multiply-add counted as two
	Clock     string   `json:"clock"`                   // ClockGPU or ClockWall
	Results   []Result `json:"results"`
	Memory    []Memory `json:"memory"`
}

// What tells the time.
const (
	// ClockGPU is the GPU's timestamps around every dispatch, added up.
	ClockGPU = "gpu"
	// ClockWall is the host's clock from a submission to its end, over launches that are queued together.
	ClockWall = "wall"
)

// Result is one measurement. Seconds are the median's of one launch.
type Result struct {
	Case
	Skipped     string  `json:"skipped,omitempty"` // why there are no figures
	Kernel      string  `json:"kernel"`            // that does most of the work: its file and variant
	Seconds     float64 `json:"seconds"`           // by the report's clock
	WallSeconds float64 `json:"wall_seconds"`
	Launches    int     `json:"launches"` // timed
	Dispatches  int     `json:"dispatches"`
	TFLOPs      float64 `json:"tflop_per_second"`
	GBs         float64 `json:"gb_per_second"` // of Bytes
	FMAShare    float64 `json:"fma_share"`
	// BandwidthShare is GBs against what kernels can read, CopyShare against the adapter's own copies.
	BandwidthShare float64 `json:"bandwidth_share"`
	CopyShare      float64 `json:"copy_share"`
	Speedup        float64 `json:"speedup"` // over standard attention, of flash where both are measured; otherwise 0
	Operations     float64 `json:"operations"`
	Bytes          float64 `json:"bytes"`        // moved in theory
	BufferBytes    uint64  `json:"buffer_bytes"` // of all buffers that the launch holds, inputs and outputs too
}

// Memory is what one head takes at a length: all buffers of a forward pass, as the device counts them.
type Memory struct {
	Length  int    `json:"length"`
	HeadDim int    `json:"head_dim"`
	Flash   uint64 `json:"flash_bytes"`
	// Standard counts q, k, v, out, S and P; Copies are the rows that its matrix product wants laid out anew.
	Standard uint64  `json:"standard_bytes"`
	Copies   uint64  `json:"standard_copy_bytes"`
	Computed bool    `json:"computed"` // standard attention's buffers were not made, or do not fit the adapter: their sizes are added up
	Ratio    float64 `json:"ratio"`    // Standard / Flash
}

// compare fills in how much faster flash attention is than a result of standard attention.
func (r *Report) compare(standard Result) {
	for i := range r.Results {
		f := &r.Results[i]
		same := f.Case
		same.Method, same.Variant, same.KVType = standard.Method, standard.Variant, standard.KVType
		if f.Method == Flash && same == standard.Case && f.Seconds > 0 {
			f.Speedup = standard.Seconds / f.Seconds
		}
	}
}
