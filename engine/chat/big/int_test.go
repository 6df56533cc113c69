package big

import (
	"math"
	standard "math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// drawn gives integers of all sizes, with runs of ones and zeros, at which carries and guesses go wrong.
func drawn(t *rapid.T, name string) (*Int, *standard.Int) {
	var hex strings.Builder
	for range rapid.IntRange(0, 5).Draw(t, name+" parts") {
		hex.WriteString(strings.Repeat(rapid.SampledFrom([]string{"0", "f", "8", "7", "1", "3c"}).Draw(t, name), rapid.IntRange(0, 20).Draw(t, name+" times")))
		hex.WriteString(rapid.StringMatching("[0-9a-f]{0,9}").Draw(t, name))
	}
	sign := rapid.SampledFrom([]string{"", "-"}).Draw(t, name+" sign")
	n, ok := Parse(sign+"0"+hex.String(), 16)
	require.True(t, ok)
	want, ok := new(standard.Int).SetString(sign+"0"+hex.String(), 16)
	require.True(t, ok)
	same(t, want, n)
	return n, want
}

func same(t require.TestingT, want *standard.Int, got *Int) {
	require.Equal(t, want.String(), got.String())
}

func TestInt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, x := drawn(t, "a")
		b, y := drawn(t, "b")
		same(t, new(standard.Int).Add(x, y), a.Add(b))
		same(t, new(standard.Int).Sub(x, y), a.Sub(b))
		same(t, new(standard.Int).Mul(x, y), a.Mul(b))
		same(t, new(standard.Int).Abs(x), a.Abs())
		same(t, new(standard.Int).Neg(x), a.Neg())
		assert.Equal(t, x.Cmp(y), a.Cmp(b))
		assert.Equal(t, 0, a.Cmp(a))
		assert.Equal(t, x.Sign(), a.Sign())
		assert.Equal(t, x.BitLen(), a.BitLen())
		assert.Equal(t, x.Bit(0) == 1, a.Odd())
		require.Equal(t, x.IsInt64(), a.IsInt64())
		if a.IsInt64() {
			assert.Equal(t, x.Int64(), a.Int64())
			same(t, x, New(a.Int64()))
		}
		power := rapid.Int64Range(0, 9).Draw(t, "power")
		same(t, new(standard.Int).Exp(x, standard.NewInt(power), nil), a.Exp(power))
		base := rapid.IntRange(2, 36).Draw(t, "base")
		require.Equal(t, x.Text(base), a.Text(base))
		back, ok := Parse(strings.ToUpper(a.Text(base)), base)
		require.True(t, ok)
		same(t, x, back)
		f, _ := new(standard.Float).SetInt(x).Float64()
		assert.Equal(t, f, a.Float64())
		if b.Sign() == 0 {
			return
		}
		q, r := a.DivMod(b)
		same(t, x, q.Mul(b).Add(r))
		assert.True(t, r.Sign() == 0 || r.Sign() == b.Sign())
		assert.Negative(t, r.Abs().Cmp(b.Abs()))
		f, _ = new(standard.Rat).SetFrac(x, y).Float64()
		assert.Equal(t, math.Abs(f), math.Abs(a.Quo(b)))
	})
}

func TestIntAtTheEnds(t *testing.T) {
	for _, i := range []int64{0, 1, -1, math.MaxInt64, math.MinInt64, math.MinInt64 + 1, 1 << 32, 1<<32 - 1} {
		same(t, standard.NewInt(i), New(i))
		assert.True(t, New(i).IsInt64())
		assert.Equal(t, i, New(i).Int64())
	}
	assert.False(t, New(math.MaxInt64).Add(New(1)).IsInt64())
	assert.False(t, New(math.MinInt64).Sub(New(1)).IsInt64())
	for _, wrong := range []string{"", "-", "+", "--1", "+-1", "1_0", " 1", "2", "1:", "1@", "1[", "1`", "1{", "é"} {
		_, ok := Parse(wrong, 2)
		assert.False(t, ok, wrong)
	}
	n, ok := Parse("+zZ", 36)
	assert.True(t, ok)
	assert.Equal(t, int64(35*37), n.Int64())
}

// finite draws floats of all sizes, subnormal ones too.
func finite(t *rapid.T) float64 {
	return math.Float64frombits(rapid.Uint64Range(1, math.Float64bits(math.MaxFloat64)).Draw(t, "bits"))
}

func TestFloats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := finite(t) * rapid.SampledFrom([]float64{1, -1}).Draw(t, "sign")
		want, _ := standard.NewFloat(x).Int(nil)
		same(t, want, FromFloat(x))
		assert.Equal(t, math.Trunc(x)+0, FromFloat(x).Float64())
		// Quotients that lie at the end of what floats can hold, and halfway between two.
		mantissa, shift := rapid.Int64Range(1, 1<<54).Draw(t, "mantissa"), rapid.IntRange(1000, 1090).Draw(t, "shift")
		one := New(1).Mul(&Int{false, magnitude{1}.up(shift)})
		f, _ := new(standard.Rat).SetFrac(standard.NewInt(mantissa), new(standard.Int).Lsh(standard.NewInt(1), uint(shift))).Float64()
		assert.Equal(t, f, New(mantissa).Quo(one))
	})
}

// TestRoot compares with 4000 bits.
func TestRoot(t *testing.T) {
	const precision = 4000
	rapid.Check(t, func(t *rapid.T) {
		x := finite(t)
		if rapid.Bool().Draw(t, "middling") {
			x = rapid.Float64Range(1e-5, 1e5).Draw(t, "x")
		}
		twice := rapid.IntRange(-40, 40).Draw(t, "twice")
		exact := new(standard.Float).SetPrec(precision).SetFloat64(x)
		want := new(standard.Float).SetPrec(precision).SetInt64(1)
		if twice&1 != 0 {
			want.Sqrt(exact)
		}
		for range max(twice, -twice) / 2 { // not by roots: whole powers may lie halfway between two floats
			want.Mul(want, exact)
		}
		if twice < 0 {
			want.Quo(standard.NewFloat(1), want)
		}
		f, _ := want.Float64()
		assert.Equal(t, f, Root(x, twice), "%v to %d/2", x, twice)
	})
	assert.Equal(t, 3.0, Root(9, 1))
	assert.Equal(t, 1.0/3, Root(9, -1))
	assert.Equal(t, 1.0, Root(9, 0))
	assert.Equal(t, 7.611501514885152e-15, Root(0.00029537081718444824, 8), "halfway between two floats")
}
