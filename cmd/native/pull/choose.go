package pull

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// listed is a file of a repository.
type listed struct {
	path string
	size int64 // negative: not known
	sum  sum
}

// variant is a model of a repository: one file, or all files of a split one, in order.
type variant struct {
	files []listed
	quant string // upper case; empty where the name tells none
	parts int    // that there should be
}

var (
	partMark  = regexp.MustCompile(`(?i)-(\d{5})-of-(\d{5})\.gguf$`)
	quantMark = regexp.MustCompile(`(?i)(?:^|[-._/ ])((?:UD-)?(?:(?:IQ|TQ|Q)\d(?:_[A-Z0-9]+)*|BF16|F16|F32|FP16|FP32|MXFP4(?:_[A-Z0-9]+)*|NVFP4))(?:[-._/ ]|$)`)
)

// preferred is what is taken where no quantization is named, the best first.
var preferred = []string{"Q4_K_M", "Q4_K_S", "Q4_K_L", "UD-Q4_K_XL", "Q4_0", "IQ4_XS", "IQ4_NL", "Q4_1", "MXFP4", "MXFP4_MOE", "Q5_K_M", "Q5_K_S", "Q5_0", "Q5_1",
	"Q6_K", "Q8_0", "Q3_K_L", "Q3_K_M", "Q3_K_S", "BF16", "F16", "F32"}

// isBeside reports whether a file belongs to a model without being one: a projector, or an importance matrix, which models that were
// made with it are named after.
func isBeside(file string) bool {
	name := strings.ToLower(path.Base(file))
	return strings.Contains(name, "mmproj") || strings.Contains(name, "imatrix") && quantOf(name) == ""
}

// variants sorts a repository's files into models.
func variants(files []listed) []variant {
	byStem := map[string]*variant{}
	var stems []string
	for _, f := range files {
		if !isModelFile(f.path) || isBeside(f.path) {
			continue
		}
		stem, parts := strings.ToLower(f.path), 1
		if m := partMark.FindStringSubmatch(f.path); m != nil {
			stem = strings.ToLower(strings.TrimSuffix(f.path, m[0])) + "-of-" + m[2]
			parts, _ = strconv.Atoi(m[2])
		}
		if byStem[stem] == nil {
			byStem[stem] = &variant{quant: quantOf(f.path), parts: parts}
			stems = append(stems, stem)
		}
		byStem[stem].files = append(byStem[stem].files, f)
	}
	var all []variant
	for _, stem := range stems {
		v := byStem[stem]
		slices.SortFunc(v.files, func(a, b listed) int { return cmp.Compare(a.path, b.path) })
		all = append(all, *v)
	}
	return all
}

// quantOf finds the quantization in a file's name, or else in its folder's.
func quantOf(file string) string {
	file = partMark.ReplaceAllString(file, "")
	file = strings.TrimSuffix(strings.TrimSuffix(file, ".gguf"), ".GGUF")
	for _, text := range []string{path.Base(file), path.Dir(file)} {
		found := ""
		for text != "" { // marks share the character between them
			m := quantMark.FindStringSubmatchIndex(text)
			if m == nil {
				break
			}
			found = text[m[2]:m[3]]
			text = text[m[3]:]
		}
		if found != "" {
			return sameQuant(found)
		}
	}
	return ""
}

// sameQuant gives a quantization one spelling.
func sameQuant(text string) string {
	text = strings.ToUpper(text)
	return strings.NewReplacer("FP16", "F16", "FP32", "F32").Replace(text)
}

// choose finds the model that a name means.
func choose(n Name, files []listed) (variant, error) {
	all := variants(files)
	if len(all) == 0 {
		return variant{}, &Error{Text: fmt.Sprintf("%s: there is no GGUF file in this repository", n),
			Hint: "Many models are in a repository of their own as GGUF, often called owner/repo-GGUF."}
	}
	var found []variant
	if n.Quant != "" {
		if found = matching(all, n.Quant); len(found) == 0 {
			return variant{}, &Error{Text: fmt.Sprintf("%s: the repository has no %s", n, n.Quant), Hint: "There are " + offers(n, all)}
		}
	} else if found = all; len(all) > 1 {
		for _, quant := range preferred {
			if found = matching(all, quant); len(found) > 0 {
				break
			}
		}
		if len(found) == 0 {
			found = all
		}
	}
	found = best(found)
	if len(found) > 1 {
		return variant{}, &Error{Text: fmt.Sprintf("%s: the repository has several such models", n), Hint: "Name one of " + offers(n, found)}
	}
	return found[0], found[0].whole(n)
}

// matching are the models of a quantization: by its whole name, or else as a part of the file's name, which may go on before it.
func matching(all []variant, quant string) []variant {
	quant = sameQuant(quant)
	var exact, within []variant
	part := regexp.MustCompile(`(?i)(^|[^A-Za-z0-9])` + regexp.QuoteMeta(quant) + `([^A-Za-z0-9_]|$)`)
	end := quantOf(quant)
	for _, v := range all {
		switch {
		case v.quant == quant:
			exact = append(exact, v)
		case part.MatchString(v.quant), v.quant == end && part.MatchString(v.files[0].path):
			within = append(within, v)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return within
}

// best prefers what lies in one file, and then what lies in no folder.
func best(found []variant) []variant {
	for _, better := range []func(v variant) bool{
		func(v variant) bool { return v.parts == 1 },
		func(v variant) bool { return !strings.Contains(v.files[0].path, "/") },
	} {
		if some := keep(found, better); len(some) > 0 {
			found = some
		}
	}
	return found
}

func keep(all []variant, good func(v variant) bool) (some []variant) {
	for _, v := range all {
		if good(v) {
			some = append(some, v)
		}
	}
	return some
}

// whole refuses a split model of which files are missing.
func (v variant) whole(n Name) error {
	if len(v.files) == v.parts {
		return nil
	}
	have := map[string]bool{}
	for _, f := range v.files {
		have[f.path] = true
	}
	for no, name := range partNames(v.files[0].path) {
		if !have[name] {
			return &Error{Text: fmt.Sprintf("%s: the model lies in %d files, and number %d of them, %s, is not in the repository", n, v.parts, no+1, name),
				Hint: "Ask its owner, or take another quantization."}
		}
	}
	return nil
}

// partNames are the names of all files of a model of which one is named; of a model in one file only its own.
func partNames(name string) []string {
	m := partMark.FindStringSubmatchIndex(name)
	if m == nil {
		return []string{name}
	}
	count, _ := strconv.Atoi(name[m[4]:m[5]])
	if no, _ := strconv.Atoi(name[m[2]:m[3]]); no < 1 || no > count {
		return []string{name}
	}
	names := make([]string, count)
	for i := range names {
		names[i] = name[:m[2]] + fmt.Sprintf("%05d", i+1) + name[m[3]:]
	}
	return names
}

// offers lists models by what one would write.
func offers(n Name, all []variant) string {
	const most = 40
	count := map[string]int{}
	for _, v := range all {
		count[v.quant]++
	}
	var names []string
	for _, v := range all {
		name := n.of(v.files[0].path)
		if v.quant != "" && count[v.quant] == 1 {
			name = Name{Repo: n.Repo, Revision: n.Revision, Quant: v.quant}
		}
		names = append(names, name.String())
	}
	slices.Sort(names)
	if len(names) > most {
		names = append(names[:most], fmt.Sprintf("and %d more", len(names)-most))
	}
	return strings.Join(names, ", ") + "."
}
