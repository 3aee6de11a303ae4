"""Writes regex-cases.json: what Python's re says about module patterns. Run: python make-regex-cases.py OUTPUT"""
import json, random, re, sys, warnings
warnings.simplefilter("ignore")

NAMES = ["", "classifier", "pre_classifier", "bert.pooler.dense", "bert.encoder.layer.0.attention.self.query", "bert.encoder.layer.11.output.dense",
         "distilbert.transformer.layer.2.ffn.lin1", "albert.encoder.albert_layer_groups.0.albert_layers.0.ffn_output", "layer.1.x", "a-b_c.7", "aaaaab", "abab"]
HAND = [r".*", r".+", r"", r"a|b|classifier", r"(pre_)?classifier", r".*query$", r"^bert.*dense", r".*\.(query|dense|lin[12])", r".*layer\.(0|1|11)\..*", r".*layer\.\d+\..*",
        r"(?!.*pooler).*dense", r"(?=.*layer).*query", r"(?!bert)(?!distil).*", r"(?:a+)+b", r"(ab)*", r"(ab){2}", r"(ab){1,}", r"(ab){,2}", r"a{5}b", r"a{2,4}?b?.*", r"a*?b", r"[a-c_.\d-]+", r"[^.]+",
        r"[^.]+(\.[^.]+)*", r"\w+", r"[\w.]+", r"[\w.-]*", r"\W*\w*", r".*\bquery\b", r".*\bself\Bx", r"\Abert.*\Z", r"(?P<part>bert|albert)\..*", r"[]a]+b", r"[^]a]+", r"[a\]b]+", r"a{x}", r"a{,}b?", r"a{", r"{}", r"x*",
        r".*\x62", r".*\u0062", r"(|a)+b", r"(a|aa)+b", r"(a*)*b", r"(a*?)*?b", r"((a)|(ab))((c)|(bab))", r".*[0-1]\..*", r"bert\.encoder\.layer\.[0-9]{1,2}\..*", r"[+--a]+", r"[\n\t]*", r"a\.b|classifier|abab", r"(.*\.)?dense", r"(.*\.)?(layer.0.attention.self.query)$", r"\s*\S*", r"\D+\d\D+", r"[\D]+", r"[\W\d.]*", r".*$", r"^$", r"()", r"(?:)*a*b", r"[\b]?classifier", r"\-?a\-b_c\.7", r"..+\..", r"(a|b|ab)*"]
BROKEN = ["(", ")", "(a", "a)", "*a", "+", "?", "a**", "a{2}{3}", "[a", "[", "[z-a]", "[\\d-z]", "a\\", "a{3,2}", "(?P<1>a)", "(?P<>a)", "(|*)"]
UNSUPPORTED = ["(?i)a", "(?<=a)b", "(?<!a)b", "(a)\\1", "(?P<x>a)(?P=x)", "a*+", "a++", "(?>a)", "(?#x)a", "(c)?(?(1)a|b)", "\\0", "(?s:.)"]
LAYERS = [r".*?\.[^.]*\.(?P<idx>\d+)\.", r"(?:^|.*?\.)layer\.(?P<idx>\d+)\.", r"(?:^|.*?\.)albert_layers\.(?P<idx>\d+)\.", r"(?:^|.*?\.)[a-z_]+\.(?P<idx>\d+)\.", r"(?:^|.*?\.)layer|x\.(?P<idx>\d+)\.",
          r".*(?P<idx>\d+)", r".*?(?P<idx>\d+)", r"(?:.*\.)?(?P<idx>\d*)", r"(?:.*\.)??(?P<idx>\d*)", r"(?P<idx>a|ab)(?:bab|ab)?", r"(?P<idx>ab|a)(?:bab|ab)?", r"(?P<idx>a*)a*b", r"(?P<idx>a*?)a*b", r"(?:(?P<idx>a)|b)*", r"(?P<idx>a{1,3})", r"(?P<idx>a{1,3}?)", r"(?P<idx>.*?)(?=b)", r"(?P<idx>a??)a"]

def generated(rng, depth=0):
    kind = rng.randrange(9 if depth < 3 else 4)
    if kind < 2: return rng.choice("abc.7_")
    if kind == 2: return rng.choice([r"\.", r"\d", r"\w", r"\D", r"\s", r"\b", "^", "$"])
    if kind == 3: return rng.choice(["[ab]", "[^a]", "[a-c.]", r"[\d_]"])
    if kind == 4: return generated(rng, depth + 1) + generated(rng, depth + 1)
    if kind == 5: return "(" + generated(rng, depth + 1) + "|" + generated(rng, depth + 1) + ")"
    if kind == 6: return "(?:" + generated(rng, depth + 1) + ")" + rng.choice(["*", "+", "?", "{2}", "{1,3}", "{,2}", "*?", "+?", "??", "{1,2}?"])
    if kind == 7: return rng.choice(["(?=", "(?!"]) + generated(rng, depth + 1) + ")"
    return generated(rng, depth + 1) + generated(rng, depth + 1) + generated(rng, depth + 1)

rng = random.Random(3)
SHORT = ["", "a", "b", "ab", "ba", "aab", "abc", "a.b", "a7", "_", "abcabc", "a.7.b"]
matching = [[p, [i for i, n in enumerate(NAMES) if re.fullmatch(p, n)], [i for i, n in enumerate(NAMES) if re.match(p, n)]] for p in HAND]
random_cases = []
while len(random_cases) < 600:
    p = generated(rng)
    try: random_cases.append([p, [i for i, n in enumerate(SHORT) if re.fullmatch(p, n)], [i for i, n in enumerate(SHORT) if re.match(p, n)]])
    except re.error: pass
for p in BROKEN:
    try: re.compile(p); raise SystemExit(f"{p} compiles")
    except re.error: pass
for p in UNSUPPORTED: re.compile(p)
layers = [[p, [[bool(m), m and m.groupdict().get("idx")] for m in (re.match(p, n) for n in NAMES)]] for p in LAYERS]
json.dump({"python": sys.version.split()[0], "names": NAMES, "short": SHORT, "hand": matching, "random": random_cases, "broken": BROKEN, "unsupported": UNSUPPORTED, "layers": layers},
          open(sys.argv[1], "w"), separators=(",", ":"))
