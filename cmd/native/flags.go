package main

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// flags is a command's flags in the order of declaration, under headings.
type flags struct {
	*flag.FlagSet
	heading string
	order   []placed
}

type placed struct{ flag, heading string }

// group starts a heading of --help.
func (f *flags) group(heading string) { f.heading = heading }

func (f *flags) place(name string) {
	if f.heading == "" {
		f.heading = "flags"
	}
	f.order = append(f.order, placed{name, f.heading})
}

// given reports whether the command line sets a flag.
func (f *flags) given(name string) bool {
	found := false
	f.Visit(func(fl *flag.Flag) { found = found || fl.Name == name })
	return found
}

func (f *flags) text(name, value, usage string) *string {
	f.place(name)
	return f.String(name, value, usage)
}

func (f *flags) flag(name, usage string) *bool {
	f.place(name)
	return f.Bool(name, false, usage)
}

// whole declares an integer within [low, high].
func (f *flags) whole(name string, value, low, high int, usage string) *int {
	f.place(name)
	n := value
	f.Func(name, usage, func(s string) error {
		v, err := strconv.Atoi(s)
		if err != nil {
			return errors.New("is no whole number")
		}
		if v < low || v > high {
			return outside(low, high, math.MaxInt)
		}
		n = v
		return nil
	})
	return &n
}

// real declares a number within [low, high].
func (f *flags) real(name string, value, low, high float64, usage string) *float64 {
	f.place(name)
	x := value
	f.Func(name, usage, func(s string) error {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(v) {
			return errors.New("is no number")
		}
		if v < low || v > high {
			return outside(low, high, math.Inf(1))
		}
		x = v
		return nil
	})
	return &x
}

func outside[T int | float64](low, high, endless T) error {
	if high == endless {
		return fmt.Errorf("must be at least %v", low)
	}
	return fmt.Errorf("must be within %v to %v", low, high)
}

// seed declares an unsigned 64-bit number.
func (f *flags) seed(name, usage string) *uint64 {
	f.place(name)
	return f.Uint64(name, 0, usage)
}

// choice declares a text that is one of a few.
func (f *flags) choice(name, value string, among []string, usage string) *string {
	f.place(name)
	got := value
	f.Func(name, usage, func(s string) error {
		for _, a := range among {
			if s == a {
				got = s
				return nil
			}
		}
		return fmt.Errorf("must be one of %s", strings.Join(among, ", "))
	})
	return &got
}

// texts declares a flag that may come several times.
func (f *flags) texts(name, usage string) *[]string {
	f.place(name)
	var all []string
	f.Func(name, usage, func(s string) error {
		if s == "" {
			return errors.New("must not be empty")
		}
		all = append(all, s)
		return nil
	})
	return &all
}

// wholes declares a list of integers of at least low, separated by commas.
func (f *flags) wholes(name string, value []int, low int, usage string) *[]int {
	f.place(name)
	all := value
	f.Func(name, usage, func(s string) error {
		var list []int
		for part := range strings.SplitSeq(s, ",") {
			v, err := strconv.Atoi(strings.TrimSpace(part))
			if err != nil || v < low || v > math.MaxInt32 {
				return fmt.Errorf("must be whole numbers of at least %d, separated by commas", low)
			}
			list = append(list, v)
		}
		all = list
		return nil
	})
	return &all
}

// size declares a number of bytes such as 512MiB.
func (f *flags) size(name, usage string) *uint64 {
	f.place(name)
	var n uint64
	f.Func(name, usage, func(s string) (err error) {
		n, err = parseSize(s)
		return err
	})
	return &n
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
		return 0, errors.New("is no size such as 512MiB or 2GiB")
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
