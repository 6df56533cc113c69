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
			known = strings.IndexByte(alternatives[format[i]], format[i+1]) >= 0
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
var alternatives = map[byte]string{'E': "cCxXyYpPrRsTuzZ%nt", 'O': "bBdeghHIjklmMpPrRsSTuUVwWyzZCG%nt"}

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

func (f clockFormat) conversion(t time.Time, c byte) (string, bool) {
	year, week := t.ISOWeek()
	hour := (t.Hour()+11)%12 + 1
	days := t.YearDay() - 1
	half := "am"
	if t.Hour() >= 12 {
		half = "pm"
	}
	switch c {
	case 'a':
		return f.word(t.Weekday().String()[:3]), true
	case 'A':
		return f.word(t.Weekday().String()), true
	case 'b', 'h':
		return f.word(t.Month().String()[:3]), true
	case 'B':
		return f.word(t.Month().String()), true
	case 'c':
		return f.name(strftime(t, "%a %b %e %T %Y")), true
	case 'C':
		return f.number(t.Year()/100, 2, '0'), true
	case 'd':
		return f.number(t.Day(), 2, '0'), true
	case 'D', 'x':
		return f.name(strftime(t, "%m/%d/%y")), true
	case 'e':
		return f.number(t.Day(), 2, '_'), true
	case 'f':
		return fmt.Sprintf("%06d", t.Nanosecond()/1000), true
	case 'F':
		return f.name(strftime(t, "%Y-%m-%d")), true
	case 'g':
		return f.number(year%100, 2, '0'), true
	case 'G':
		return f.number(year, 4, '0'), true
	case 'H':
		return f.number(t.Hour(), 2, '0'), true
	case 'I':
		return f.number(hour, 2, '0'), true
	case 'j':
		return f.number(days+1, 3, '0'), true
	case 'k':
		return f.number(t.Hour(), 2, '_'), true
	case 'l':
		return f.number(hour, 2, '_'), true
	case 'm':
		return f.number(int(t.Month()), 2, '0'), true
	case 'M':
		return f.number(t.Minute(), 2, '0'), true
	case 'n':
		return f.name("\n"), true
	case 'p':
		if f.swap {
			return f.plain(half), true
		}
		return f.name(strings.ToUpper(half)), true
	case 'P':
		return f.plain(half), true
	case 'r':
		return f.name(strftime(t, "%I:%M:%S %p")), true
	case 'R':
		return f.name(strftime(t, "%H:%M")), true
	case 's':
		return f.number(int(t.Unix()), 1, '0'), true
	case 'S':
		return f.number(t.Second(), 2, '0'), true
	case 't':
		return f.name("\t"), true
	case 'T', 'X':
		return f.name(strftime(t, "%H:%M:%S")), true
	case 'u':
		return f.number((int(t.Weekday())+6)%7+1, 1, '0'), true
	case 'U':
		return f.number((days+7-int(t.Weekday()))/7, 2, '0'), true
	case 'V':
		return f.number(week, 2, '0'), true
	case 'w':
		return f.number(int(t.Weekday()), 1, '0'), true
	case 'W':
		return f.number((days+7-(int(t.Weekday())+6)%7)/7, 2, '0'), true
	case 'y':
		return f.number(t.Year()%100, 2, '0'), true
	case 'Y':
		return f.number(t.Year(), 1, '0'), true
	case 'z', 'Z':
		return "", true
	case '%':
		return f.name("%"), true
	}
	return "", false
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
