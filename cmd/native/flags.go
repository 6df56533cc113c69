package main

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// mappers read values in place of kong's own: theirs take no value that begins with a dash, as in --long-prompt -1, and
// their errors speak of bits and floats.
var mappers = kong.OptionFunc(func(k *kong.Kong) error {
	for kind, read := range map[reflect.Kind]func(v *kong.Value, text string, to reflect.Value) error{
		reflect.String: readText, reflect.Int: readInt, reflect.Uint64: readUint64, reflect.Float64: readFloat,
	} {
		err := kong.KindMapper(kind, kong.MapperFunc(func(ctx *kong.DecodeContext, to reflect.Value) error {
			if t := ctx.Scan.Peek(); t.Type == kong.ShortFlagTailToken {
				whole := "-" + string(ctx.Value.Flag.Short) + t.String()
				for _, n := range k.Model.Leaves(true) {
					if name, ok := oneDash(n, whole); ok {
						return fmt.Errorf("-%s takes two dashes", name)
					}
				}
			}
			text, err := word(ctx)
			if err != nil {
				return err
			}
			return read(ctx.Value, text, to)
		})).Apply(k)
		if err != nil {
			return err
		}
	}
	return nil
})

// word takes a flag's value from the command line.
func word(ctx *kong.DecodeContext) (string, error) {
	t := ctx.Scan.Pop()
	if t.IsEOL() {
		return "", errors.New("needs a value")
	}
	text := t.String()
	if t.Type == kong.ShortFlagTailToken { // of -m=FILE
		text = strings.TrimPrefix(text, "=")
	}
	return text, nil
}

func readText(v *kong.Value, text string, to reflect.Value) error {
	if text == "" && v.Tag.Has("filled") {
		return errors.New("must not be empty")
	}
	to.SetString(text)
	return nil
}

// readInt reads an integer from the tag "min", or 0, on.
func readInt(v *kong.Value, text string, to reflect.Value) error {
	low, err := v.Tag.GetInt("min")
	if err != nil {
		low = 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	switch {
	case err != nil:
		return fmt.Errorf("must be a whole number, not %q", text)
	case n < low || n > math.MaxInt32:
		return fmt.Errorf("must be within %d to %d, not %d", low, math.MaxInt32, n)
	}
	to.SetInt(n)
	return nil
}

func readUint64(_ *kong.Value, text string, to reflect.Value) error {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return fmt.Errorf("must be a whole number from 0 to 2^64-1, not %q", text)
	}
	to.SetUint(n)
	return nil
}

func readFloat(_ *kong.Value, text string, to reflect.Value) error {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("must be a number, not %q", text)
	}
	to.SetFloat(x)
	return nil
}

// size is a number of bytes such as 512MiB.
type size uint64

// Decode is kong.MapperValue.
func (s *size) Decode(ctx *kong.DecodeContext) error {
	text, err := word(ctx)
	if err != nil {
		return err
	}
	n, err := parseSize(text)
	*s = size(n)
	return err
}

var sizeUnits = []struct {
	name  string
	bytes float64
}{{"KIB", 1 << 10}, {"MIB", 1 << 20}, {"GIB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9},
	{"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"B", 1}}

// parseSize reads a number of bytes: 1073741824, 1GiB, 1.5G (binary) or 2GB (decimal).
func parseSize(s string) (uint64, error) {
	number, unit := strings.ToUpper(strings.TrimSpace(s)), 1.0
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(number, u.name); ok {
			number, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !(v >= 0) || v*unit > 1<<50 {
		return 0, fmt.Errorf("must be a size such as 512MiB or 2GiB, not %q", s)
	}
	return uint64(v * unit), nil
}

// formatSize writes a number of bytes in binary units.
func formatSize(n uint64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}
