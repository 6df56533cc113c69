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
// QUIRE_VARIANTS, a JSON list, names flash attention's variants.
func BenchmarkAttention(b *testing.B) {
	var plan Plan
	if names := os.Getenv("QUIRE_VARIANTS"); names != "" {
		require.NoError(b, json.Unmarshal([]byte(names), &plan.Variants))
	}
	for range b.N {
		report, err := Run(context.Background(), gpu.Options{Adapter: os.Getenv("QUIRE_ADAPTER")}, plan, nil)
		require.NoError(b, err)
		text, err := json.Marshal(report)
		require.NoError(b, err)
		b.Logf("%s", text)
	}
}
