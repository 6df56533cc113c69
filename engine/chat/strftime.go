package chat

import (
	"strconv"
	"strings"
	"time"
)

// strftime writes a time by C's conversions; unknown ones stay as they are.
func strftime(t time.Time, format string) string {
	layouts := map[byte]string{'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'H': "15", 'I': "03", 'M': "04", 'S': "05",
		'B': "January", 'b': "Jan", 'h': "Jan", 'A': "Monday", 'a': "Mon", 'p': "PM", 'Z': "MST", 'z': "-0700", 'j': "002",
		'F': "2006-01-02", 'T': "15:04:05", 'D': "01/02/06", 'R': "15:04", 'e': "_2", 'c': "Mon Jan _2 15:04:05 2006",
		'x': "01/02/06", 'X': "15:04:05"}
	unpadded := map[byte]string{'d': "2", 'm': "1", 'I': "3", 'M': "4", 'S': "5"}
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		c := format[i]
		if c != '%' || i+1 == len(format) {
			out.WriteByte(c)
			continue
		}
		i++
		switch c = format[i]; {
		case c == '%':
			out.WriteByte('%')
		case c == 'n':
			out.WriteByte('\n')
		case c == 't':
			out.WriteByte('\t')
		case c == 'f':
			out.WriteString(t.Format(".000000")[1:])
		case c == 's':
			out.WriteString(strconv.FormatInt(t.Unix(), 10))
		case c == 'u':
			out.WriteString(strconv.Itoa((int(t.Weekday())+6)%7 + 1))
		case c == 'w':
			out.WriteString(strconv.Itoa(int(t.Weekday())))
		case c == '-' && i+1 < len(format) && format[i+1] == 'H':
			i++
			out.WriteString(strconv.Itoa(t.Hour()))
		case c == '-' && i+1 < len(format) && unpadded[format[i+1]] != "":
			i++
			out.WriteString(t.Format(unpadded[format[i]]))
		case layouts[c] != "":
			out.WriteString(t.Format(layouts[c]))
		default:
			out.WriteByte('%')
			out.WriteByte(c)
		}
	}
	return out.String()
}
