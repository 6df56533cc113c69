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

func (f *flags) text(name string, to *string, usage string) {
	f.place(name)
	f.StringVar(to, name, *to, usage)
}

func (f *flags) flag(name string, to *bool, usage string) {
	f.place(name)
	f.BoolVar(to, name, false, usage)
}

// whole declares an integer of at least low; *n is the default.
func (f *flags) whole(name string, n *int, low int, usage string) {
	f.place(name)
	f.Func(name, usage, func(s string) error {
		v, err := strconv.Atoi(s)
		if err != nil {
			return errors.New("is no whole number")
		}
		if v < low || v > math.MaxInt32 {
			return fmt.Errorf("must be within %d to %d", low, math.MaxInt32)
		}
		*n = v
		return nil
	})
}

// real declares a number.
func (f *flags) real(name string, x *float64, usage string) {
	f.place(name)
	f.Func(name, usage, func(s string) error {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return errors.New("is no number")
		}
		*x = v
		return nil
	})
}

// seed declares an unsigned 64-bit number.
func (f *flags) seed(name string, n *uint64, usage string) {
	f.place(name)
	f.Func(name, usage, func(s string) (err error) {
		if *n, err = strconv.ParseUint(s, 10, 64); err != nil {
			return errors.New("is no whole number from 0 to 2^64-1")
		}
		return nil
	})
}

// choice declares a text that is one of a few; *to is the default.
func (f *flags) choice(name string, to *string, among []string, usage string) {
	f.place(name)
	f.Func(name, usage, func(s string) error {
		for _, a := range among {
			if s == a {
				*to = s
				return nil
			}
		}
		return fmt.Errorf("must be one of %s", strings.Join(among, ", "))
	})
}

// texts declares a flag that may come several times.
func (f *flags) texts(name string, all *[]string, usage string) {
	f.place(name)
	f.Func(name, usage, func(s string) error {
		if s == "" {
			return errors.New("must not be empty")
		}
		*all = append(*all, s)
		return nil
	})
}

// wholes declares a list of integers of at least low, separated by commas; *all is the default.
func (f *flags) wholes(name string, all *[]int, low int, usage string) {
	f.place(name)
	f.Func(name, usage, func(s string) error {
		var list []int
		for part := range strings.SplitSeq(s, ",") {
			v, err := strconv.Atoi(strings.TrimSpace(part))
			if err != nil || v < low || v > math.MaxInt32 {
				return fmt.Errorf("must be whole numbers of at least %d, separated by commas", low)
			}
			list = append(list, v)
		}
		*all = list
		return nil
	})
}

// size declares a number of bytes such as 512MiB.
func (f *flags) size(name string, n *uint64, usage string) {
	f.place(name)
	f.Func(name, usage, func(s string) (err error) {
		*n, err = parseSize(s)
		return err
	})
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
