package attend

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
)

// BenchmarkAttention is "quire bench attention" for whichever host runs the test; it logs the report as JSON.
// QUIRE_PLAN, a Plan as JSON, says what is measured.
func BenchmarkAttention(b *testing.B) {
	var plan Plan
	if text := os.Getenv("QUIRE_PLAN"); text != "" {
		require.NoError(b, json.Unmarshal([]byte(text), &plan))
	}
	for range b.N {
		report, err := Run(context.Background(), gpu.Options{Adapter: os.Getenv("QUIRE_ADAPTER")}, plan, nil)
		require.NoError(b, err)
		text, err := json.Marshal(report)
		require.NoError(b, err)
		b.Logf("%s", text)
	}
}
