package chat

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// strftime writes a time by the conversions of the GNU C library, which Python hands it to; unknown ones stay as they are. The time
// has no zone, as that of Python's datetime.now().
func strftime(t time.Time, format string) string {
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			out.WriteByte(format[i])
			continue
		}
		start := i
		var f clockFormat
		for i++; i < len(format) && strings.IndexByte("_-0^#", format[i]) >= 0; i++ {
			f.flag(format[i])
		}
		for ; i < len(format) && isDigit(format[i]); i++ {
			f.width = min(f.width*10+int(format[i]-'0'), 1024)
		}
		known := true
		if i+1 < len(format) && (format[i] == 'E' || format[i] == 'O') {
			known = strings.IndexByte(alternatives(format[i]), format[i+1]) >= 0
			i++
		}
		if i == len(format) {
			out.WriteString(format[start:])
			break
		}
		if format[i] == 'f' { // Python's own, without flags
			known = i == start+1
		}
		if text, ok := f.conversion(t, format[i]); ok && known {
			out.WriteString(text)
		} else {
			out.WriteString(format[start : i+1])
		}
	}
	return out.String()
}

// alternatives are the conversions that E and O go before. They change nothing where no locale is set.
func alternatives(c byte) string {
	switch c {
	case 'E':
		return "cCxXyYpPrRsTuzZ%nt"
	case 'O':
		return "bBdeghHIjklmMpPrRsSTuUVwWyzZCG%nt"
	}
	return ""
}

// clockFormat is how a conversion of strftime is padded and cased.
type clockFormat struct {
	pad         byte // 0, '-', '_' or '0'
	width       int
	upper, swap bool
}

func (f *clockFormat) flag(c byte) {
	switch c {
	case '^':
		f.upper = true
	case '#':
		f.swap = true
	default:
		f.pad = c
	}
}

// layoutOf is what a conversion stands for that stands for several.
func layoutOf(c byte) string {
	switch c {
	case 'c':
		return "%a %b %e %T %Y"
	case 'D', 'x':
		return "%m/%d/%y"
	case 'F':
		return "%Y-%m-%d"
	case 'r':
		return "%I:%M:%S %p"
	case 'R':
		return "%H:%M"
	case 'T', 'X':
		return "%H:%M:%S"
	case 'n':
		return "\n"
	case 't':
		return "\t"
	}
	return ""
}

func (f clockFormat) conversion(t time.Time, c byte) (string, bool) {
	if c == '%' {
		return f.name("%"), true
	}
	if layout := layoutOf(c); layout != "" {
		return f.name(strftime(t, layout)), true
	}
	year, week := t.ISOWeek()
	days, hour, weekday := t.YearDay()-1, t.Hour(), int(t.Weekday())
	n, width, pad := 0, 2, byte('0')
	switch c {
	case 'a':
		return f.word(t.Weekday().String()[:3]), true
	case 'A':
		return f.word(t.Weekday().String()), true
	case 'b', 'h':
		return f.word(t.Month().String()[:3]), true
	case 'B':
		return f.word(t.Month().String()), true
	case 'f':
		return fmt.Sprintf("%06d", t.Nanosecond()/1000), true
	case 'p', 'P':
		half := "am"
		if hour >= 12 {
			half = "pm"
		}
		if c == 'P' || f.swap {
			return f.plain(half), true
		}
		return f.name(strings.ToUpper(half)), true
	case 'z', 'Z':
		return "", true
	case 'C':
		n = t.Year() / 100
	case 'd':
		n = t.Day()
	case 'e':
		n, pad = t.Day(), '_'
	case 'g':
		n = year % 100
	case 'G':
		n, width = year, 4
	case 'H':
		n = hour
	case 'I':
		n = (hour+11)%12 + 1
	case 'j':
		n, width = days+1, 3
	case 'k':
		n, pad = hour, '_'
	case 'l':
		n, pad = (hour+11)%12+1, '_'
	case 'm':
		n = int(t.Month())
	case 'M':
		n = t.Minute()
	case 's':
		n, width = int(t.Unix()), 1
	case 'S':
		n = t.Second()
	case 'u':
		n, width = (weekday+6)%7+1, 1
	case 'U':
		n = (days + 7 - weekday) / 7
	case 'V':
		n = week
	case 'w':
		n, width = weekday, 1
	case 'W':
		n = (days + 7 - (weekday+6)%7) / 7
	case 'y':
		n = t.Year() % 100
	case 'Y':
		n, width = t.Year(), 1
	default:
		return "", false
	}
	return f.number(n, width, pad), true
}

func (f clockFormat) number(n, width int, pad byte) string {
	if f.pad != 0 {
		pad = f.pad
	}
	if pad == '-' {
		width, pad = 1, '_'
	}
	if f.width > 0 {
		width = f.width
	}
	text := strconv.Itoa(n)
	if pad == '_' {
		return strings.Repeat(" ", max(0, width-len(text))) + text
	}
	return strings.Repeat("0", max(0, width-len(text))) + text
}

// word is a name, whose case the flags may change.
func (f clockFormat) word(text string) string {
	f.upper = f.upper || f.swap
	return f.name(text)
}

func (f clockFormat) name(text string) string {
	if f.upper {
		text = strings.ToUpper(text)
	}
	return f.plain(text)
}

func (f clockFormat) plain(text string) string {
	fill := " "
	if f.pad == '0' {
		fill = "0"
	}
	return strings.Repeat(fill, max(0, f.width-len(text))) + text
}
