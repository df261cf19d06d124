# Writes values.rds, a list of R values, and expected.json, what deparse() gives for each.
# Run by hand, with R 4.2.2 in a UTF-8 locale, from the folder it stands in: Rscript make.R

values <- list()
add <- function(...) {
  new <- list(...)
  values <<- c(values, new)
}

# Code that parses: the statement as it stands in the list.
code <- function(text) {
  for (each in as.list(parse(text = text, keep.source = FALSE))) {
    values[[length(values) + 1]] <<- each
  }
}

code('
run_sir(b, 0.1)
stats::rnorm(3, mean = 2)
pkg:::hidden(1)
"pkg"::name
a + b - c
a - (b - c)
(a + b) * c
-a^2
(-a)^2
-(a + b)
- -a
+a
!a
!!a
!(a && b)
a && b || c
(a || b) && c
a & b | !c
a < b
(a < b) == c
a <= b
a >= b & c != d
a %in% b
a %in% b %in% c
a %o% (b %o% c)
!x %in% y
-x %in% y
a %% b
a %/% b
a %*% b
a %*% b %*% c
1:10
1:(n - 1)
(1:n)[-1]
-1:3
-(1:3)
a:b:c
2^3^4
(2^3)^4
2^-1
a / b / c
a / (b / c)
a * b / c
x <- y
x <<- y
x = y
x <- y <- z
y -> z
f(x <- 3)
f((x = 3))
f(x = (y = 3))
function(x = (a <- 2)) x
x$y
x$y$z
x$`odd name`
x$"odd name"
x$"plain"
x@slot
x@slot$member
x[1]
x[1, 2]
x[, 1]
x[1, ]
x[, , 3]
x[]
x[[1]]
x[["a"]]
x[[1]][2]
x[i = 1, drop = FALSE]
(a + b)[1]
(a + b)$c
f(x)$y
f(x)[y](z)
x$f(y)
(x$f)(y)
(f)(y)
(function(x) x + 1)(2)
(\\(x) x + 1)(2)
f(1)(2)
f(1)(2)(3)
base::mean(x)
base::mean(x)$y
y ~ x
~x
y ~ x + z | w
y ~ .
log(y) ~ poly(x, 2) + offset(z) - 1
if (a) b
if (a) b else c
if (a) b else if (c) d else e
if (a) { b } else { c }
if (a && b) f(x) else g(y)
x <- if (a) b else c
f(if (a) b else c)
(if (a) b else c) + 1
1 + if (a) b else c
for (i in 1:10) print(i)
for (i in seq_len(n)) { print(i); next }
while (TRUE) break
while (i < 3) { i <- i + 1 }
repeat { break }
repeat f(x)
function() NULL
function(x) x
function(x, y = 2, ...) x + y
function(...) list(...)
\\(x) x^2
function(x) { x + 1 }
function(x) if (x) 1 else 2
function(x, f = function(y) y) f(x)
function(`odd name`, b = "x") b
{}
{ a }
{ a; b }
{ a <- 1; a + 2 }
{ { a } }
{ if (a) b }
{ if (a) b else c }
{ if (a) { b } else { c } }
{ if (a) { b } else c }
{ if (a) b else { c } }
{ if (a) b else if (c) d else e }
{ if (a) { b } else if (c) { d } else { e } }
{ if (a) if (b) c else d else e }
{ x <- if (a) b else c }
{ f(if (a) b else c) }
{ c(if (a) b else c, 2) }
{ list(x = if (a) b else c) }
{ x[if (a) b else c] }
{ lapply(x, function(i) if (i) 1 else 2) }
{ for (i in x) if (i) f(i) else g(i) }
{ for (i in x) { if (i) next; f(i) } }
{ while (a) { b }; c }
{ repeat { x <- x + 1; if (x > 3) break } }
{ function(x) { x } }
{ f <- function(x, y) { z <- x + y; z }; f(1, 2) }
{ tryCatch({ f(x) }, error = function(e) { NULL }) }
tryCatch({ f(x) }, error = function(e) NULL, finally = { g() })
local({ x <- 1; x })
`odd name`
`odd name`(1)
`odd name` + `if`
f(`odd name` = 1, b = `2x`)
f(`if` = 1)
`if`(a, b)
`+`(1)
`+`(1, 2)
`+`(1, 2, 3)
`+`(a = 1, b = 2)
`-`()
`%in%`(a, b)
`%in%`(a = x, b = y)
`%in%`(a)
`%%`(a)
`[`(x, 1)
`[[`(x, 1)
`$`(x, "y z")
`$`(x, y)
`$`(x, 1)
`$`(x)
`::`(a, b)
`[<-`(x, 1, value = 2)
`[[<-`(x, 1, 2)
`$<-`(x, "a", 2)
`names<-`(x, "a")
x[1] <- 2
x$a <- 2
names(x) <- "a"
names(x)[2] <- "b"
attr(x, "dim") <- c(2, 3)
`!`(a, b)
`{`(a, b)
`(`(a)
`for`(i, x, y)
`my var` <- 2
`a\\\\b`
`a\\`b`
.x
..1
...
f(...)
f(, 1)
f(1, )
f(a = )
f(NULL)
f(NA, TRUE, Inf, NaN, NA_character_)
f("a", \'b\', "it\'s", \'say "hi"\')
"tab\\tnewline\\nquote\\"backslash\\\\"
"\\u00e9t\\u00e9 \\u4e2d\\u6587 \\U0001F600"
f(1L, 2, 3.5, 1e6, 1e5, 1e-5, 0x10, 1e5L, 1i, 2+3i)
f(-1, -1L, +1)
f(100000, 123456, 1234567.891, 0.1, 1/3, 1e-15, 1e15, 1e16)
x |> f()
x |> f(y = 2) |> g()
x |> (\\(z) z + 1)()
a := b
?help
a ? b
a | b || c
a && !b
(a)
((a))
!a == b
!(a == b)
-a:b
-(a:b)
(-a):b
a^b:c
(a = b) + 1
(a <- b) + 1
a + (b <- c)
(function(x) x)$a
(if (a) b)[1]
-if (a) b else c
!if (a) b else c
quote(x + y)
bquote(a + .(b))
substitute(x, list(x = 1))
expression(a, b)
return(x)
return()
invisible(x)
switch(x, a = 1, b = , c = 2, stop("none"))
stop("no such parameter \'gamma\'")
stopifnot(x > 0, is.character(y))
on.exit(close(con), add = TRUE)
library(dplyr)
Sys.sleep(1000)
if (file.exists("flag")) "ok" else stop("flag missing")
source("script.R", chdir = TRUE)
do.call(rbind, lapply(split(d, d$g), function(s) data.frame(g = s$g[[1]], m = mean(s$v))))
dplyr::mutate(dplyr::filter(mtcars, cyl == 4), ratio = mpg / wt, name = rownames(mtcars), double = 2 * ratio)
lm(mpg ~ wt + factor(cyl) * log(hp) + I(disp^2) + poly(drat, 2) + qsec + vs + am + gear + carb, data = mtcars)
aaaaaaaaaaaaaaa + bbbbbbbbbbbbbbbbbbb + cccccccccccccccccccc + dddddddddddddddddd + eeeeeeeeeeeeeeeee + fffff
aaaaaaaaaaaaaaa * (bbbbbbbbbbbbbbbbbbb + cccccccccccccccccccc) / dddddddddddddddddd^eeeeeeeeeeeeeeeee - fffff
first_function(second_function(third_function(fourth_argument, fifth_argument), sixth_argument), seventh)
result <- some_function(argument_number_one = 1, argument_number_two = 2, argument_number_three = list(a = 1))
x[some_quite_long_index_expression, another_quite_long_index_expression, drop = FALSE, exact = TRUE]
function(argument_one = 1, argument_two = "two", argument_three = c(1, 2, 3), argument_four = NULL, ...) NULL
if (a_rather_long_condition && another_rather_long_condition || a_third_condition_that_is_long) do_something() else do_another()
for (index in seq_along(a_vector_with_a_long_name)) process(a_vector_with_a_long_name[[index]], index, verbose = TRUE, n = 3)
a_long_name %in% another_long_name_here %in% yet_another_long_name_here %in% the_last_of_the_names
x <- c("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda")
f(aaaaaaaaaaaaaaaaaaaaaaaaaaa, g(bbbbbbbbbbbbbbbbbbbbbbbbbbb, cccccccccccccccccccccccccccc, ddddd), eeeeeeeeeeeee)
outcome ~ exposure + confounder_one + confounder_two + confounder_three + (1 | site) + (1 | site:year)
{ outcome <- model$run(beta = parameters$beta, gamma = parameters$gamma, population = population_size, steps = 365); if (any(outcome$infected < 0)) stop("negative number of infected, the step size is too large") else summary(outcome) }
withr::with_seed(42, { x <- rnorm(100); y <- x + rnorm(100, sd = 0.1); coef(lm(y ~ x)) })
vapply(seq_len(nrow(grid)), function(i) { with(grid[i, ], simulate(beta, gamma, replicates = 100L)$attack_rate) }, numeric(1))
furrr::future_map(pars, function(p) { tryCatch(run(p), error = function(e) structure(list(message = conditionMessage(e)), class = "failed")) }, .options = furrr::furrr_options(seed = TRUE))
"été été été été" + "été été été été" + "été été été été" + "été été été été été"
f("ééééééééééééééééé", "ééééééééééééééééé", "ééééééééééééééééé", "ééééééééééééééééé")
été <- naïve + 中文
f("a string that is longer than sixty characters, so that the line is longer than it", 2, 3)
{ { { { { { deep } } } } } }
{ f({ a; b }, { c }) }
{ function(x) { function(y) { function(z) { x + y + z } } } }
function(x, ...) UseMethod("f")
if (a) { b } else if (c) { d }
a$b$c[[1]]@d[2]$e(3)
-2^2
(-2)^2
-1i
(1+2i) * 2
a %>% b() %>% c(d)
a <- function() NULL
~a + b
a ~ b ~ c
(a ~ b) ~ c
!~a
-a + b
-(a) + b
a - -b
a + -b
a * -b
-a * b
-(a * b)
a^-b * c
(a <= b) <= c
a[b][[c]]$d
(!a) + b
(-a)$b
-a$b
(a:b)$c
!a$b
f(x)(y)$z
')

# Code that no parser gives: the parentheses are deparse()'s own.
a <- quote(a)
b <- quote(b)
operators <- c("^", ":", "%in%", "*", "+", "<", "!", "&", "|", "~", "<-", "=", "$", "[", "-", "/")
for (outer in operators) {
  for (inner in c("^", ":", "%%", "*", "+", "==", "&&", "~", "<-", "$", "[", "if", "-u", "!u")) {
    operand <- switch(inner,
                      "-u" = call("-", a),
                      "!u" = call("!", a),
                      call(inner, a, b))
    add(call("{", call(outer, operand, quote(c)), call(outer, quote(c), operand),
             call("+", call(outer, quote(c), operand), quote(d))))
  }
}
add(
  call("^", call("-", a), b), call("-", -1), call("^", -1, 2), call("*", 1+2i, 2), call("-", 1i, 2i),
  call("-", 2, 1i), call("+", call("function", as.pairlist(alist(x = )), quote(x)), 1),
  call("f", call("=", a, 2)), as.call(list(quote(f), x = call("=", a, 2))),
  as.call(list(function(x) x + 1, 2)), as.call(list(sum, 1, 2)), as.call(list(quote(f(x)), 2)),
  as.call(list(quote(a %in% b), 2)), as.call(list(quote(a + b), 2)), as.call(list("f", 1)),
  call("$", a, "b"), call("$", a, 1), call("$", a, NA_character_), call("@", a, "b c"),
  call("if", a), call("f", c(1, 2, 3)), call("f", 1:10), call("f", list(a = 1, 2)),
  call("f", c(a = 1, b = 2)), call("f", factor(c("u", "v"))), call("f", data.frame(a = 1:2)),
  call("f", as.Date("2026-01-01")), call("f", NULL), call("f", quote(`odd name`)),
  call("f g", 1), call("::", "a", "b c"), call("for", quote(i), 1:3, a),
  call("f", -1), call("[", a, -1), call(":", -1, 2), call("^", 2, -1), call("f", c(TRUE, NA)),
  call("f", "a\\b\"c"), call("f", new.env()), call("+", c(1, 2), 3), call("[[", a, "b"),
  structure(quote(f(x)), class = "odd"), structure(y ~ x, class = "formula"),
  call("{", call("if", a, quote({ b }), call("f", call("if", a, b, quote(c)))))
)

# Names
add(quote(x), quote(`odd name`), list(quote(x)), list(quote(`odd name`)), list(quote(`f g`(x))),
    list(quote(f(`y z` = 2))), list(quote(`+`(1, 2, 3))), list(quote(if (a) b else c)),
    list(y ~ x), list(f = mean(1:3), g = quote(g(x))))

# Numbers
numbers <- c(0, 1, -1, 10, 100, 1000, 1e4, 1e5, 123456, 1e6, 1234567, 1e10, 12345678901, 1e15, 1e16,
             123456789012345678, 2^31, 2^53, 2^60, 2^64, 1e22, 1e23, 1e100, 1e300, 1.7976931348623157e308,
             0.1, 0.5, 0.25, 0.01, 0.001, 1e-4, 1e-5, 0.00012, 0.000123456, 1e-10, 1e-100, 1e-300, 5e-324,
             2.2250738585072014e-308, 1 / 3, 2 / 3, 22 / 7, pi, exp(1), 1e5 + 0.1, 100000.5, 99999.99999999999,
             99999.9999999999, 0.1 + 0.2, 1 - 0.9, 1e-17, 1.5e-5, 12345.6789, 1e5 / 3, 1e15 / 3, 1e-5 / 3,
             0.95, 0.99999999999999999, 1.1, 1.10000000000000009, 3e8, 6.02214076e23, 1.38e-23, -0.0,
             -0.001, -1e5, -1e-5, -123.456, Inf, -Inf, NaN, NA, 299792458, 31536000, 86400, 1795442813.61691,
             0.30000000000000004, 1.0000000000000002, 4.35, 1e2 + 1e-13, 1024, 65536, 1e5 - 1, 150000, 1200000)
for (number in numbers) {
  add(number)
}
add(c(1, 2, 3), c(0.1, 0.25, 1e10), c(1e5, 1, 1e-5), c(1, NA), c(NA, NA_real_), c(NaN, NA, Inf),
    1L, -5L, 0L, NA_integer_, c(1L, NA), c(NA_integer_, NA), 1:2, 2:1, 1:10, 0:-3, -3:3, c(1L, 3L),
    c(1L, 1L), c(1L, 2L, 4L), 100000L, 123456789L, c(-2147483647L, 2147483647L), 99999:100001,
    TRUE, FALSE, NA, c(TRUE, FALSE, NA), c(NA, NA), 1i, 1+2i, -1-2i, 1e10+1i, 1e-20+1i, 0.1+1i/3,
    1e5+1e5i, 123456.789-0.001i, complex(real = NaN, imaginary = 1), complex(real = 1, imaginary = -Inf),
    NA_complex_, c(NA_complex_, NA), c(1i, NA), 0i, 1e-5i, 1e300+1e-300i, 1e15+1i, 100000+0i,
    as.raw(1), as.raw(c(0, 10, 255)), raw(0),
    numeric(0), character(0), integer(0), logical(0), complex(0), list(), NULL, expression())

# Strings
add("", "a", "it's", "say \"hi\"", "back\\slash", "tab\t nl\n cr\r", "\a\b\f\v\001\033[31m\177", "%s",
    "\u00e9", "\u4e2d\u6587", "\U1F600", "a\u0301", "\u200b\u00a0\u00ad\u202e", "\u0085\u2028\u2029",
    "\ue000", "\U10ffff", NA_character_, c("a", NA), c(NA_character_, NA), c("a", "b"), letters, LETTERS[1:5],
    "a very long string that goes on and on, well beyond the sixty characters that make a line long",
    month.name, c("\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9", "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9", "b", "\u4e2d\u6587\u4e2d\u6587", "c"))

# Names of elements
add(c(a = 1), c(a = 1, b = 2), c(a = 1, 2), c(`odd name` = 1), c(`if` = 1L), c(a = "x"), c(a = TRUE),
    c(a = 1L, b = 2L), c(a = 1L, b = 3L), structure(1:3, names = c("a", "b", "c"), foo = c(x = 1)),
    structure(numeric(0), names = character(0)), structure(list(), names = character(0)),
    structure(c(1, 2), names = c("a", NA)), structure(list(1, 2), names = c("a", NA)),
    structure(c(1, 2), names = c("", "")), structure(c(1, 2), names = c("recursive", "a")),
    structure(list(1, 2), names = c("recursive", "a")), structure(c(1, 2), names = c("use.names", "b")),
    c(`a"b` = 1), c(`a\\b` = 1), c("\u00e9" = 1), c(.a = 1), c(`.1` = 1), c(`_a` = 1), c(`1` = 1), c(`TRUE` = 1),
    c(`...` = 1), c(a.b_c1 = 1), list(a = 1), list(1, b = "x"), list(`odd name` = 1), list(`if` = 2),
    c(a = NA), c(a = NA_character_), c(a = as.raw(1)), c(a = 1i))

# Lists and attributes
add(list(1, 2), list(list(1), list(2)), list(a = list(b = list(c = 1))), list(NULL), list(NULL, 1),
    list(1:3, letters[1:3]), list(a = 1, b = list(2, c = "d"), e = NULL), list(quote(a), quote(a + b)),
    list(alpha = 1:10, beta = c(0.1, 0.2), gamma = "a string", delta = TRUE, epsilon = NULL, zeta = list(1)),
    list(function(x) x), list(sum), list(new.env()), list(expression(a, b)),
    factor(c("u", "v", "u")), factor(character(0)), factor("a", levels = c("b", "a")), ordered(c("lo", "hi")),
    data.frame(), data.frame(a = 1:3), data.frame(a = 1:3, b = letters[1:3], stringsAsFactors = TRUE),
    data.frame(x = c(0.5, 1.5), row.names = c("r1", "r2")), head(mtcars, 3), head(iris, 4),
    as.POSIXct(0, origin = "1970-01-01", tz = "UTC"), as.Date("2026-11-23"), as.Date(c("2026-01-01", NA)),
    as.difftime(3, units = "mins"), as.POSIXlt("2026-01-02 03:04:05", tz = "UTC"),
    matrix(1:6, 2), matrix(c(1, 2, 3, 4), 2, dimnames = list(c("a", "b"), NULL)), array(1:8, c(2, 2, 2)),
    table(c("a", "b", "a")), table(c(1, 1), c(2, 3)), ts(1:3, start = 2000),
    structure(1, class = "odd"), structure(list(a = 1), class = "odd"), structure("x", `odd name` = 2),
    structure(1:3, comment = "x"), structure(TRUE, a = 1, b = list(2)), structure(list(), class = "empty"),
    structure(function(x) x, class = "fn"), structure(list(f = quote(x + 1)), class = "q"),
    pairlist(a = 1, 2), pairlist(1), as.pairlist(alist(x = , y = 2)), formals(function(x, y = 2, ...) NULL),
    expression(a), expression(a + b, x = c), expression(`odd name`), structure(expression(a), foo = 1),
    numeric_version("1.2.3"), seq(0, 1, by = 0.1), (1:40)^2, as.numeric(1:40), c(1:20, 1L), rep(c(TRUE, FALSE), 15),
    1:40 / 7, as.list(1:12), setNames(as.list(1:8), paste0("name_", 1:8)), setNames(1:15 * 2, paste0("n", 1:15)),
    list(c(1, 2, 3), c(4, 5, 6), c(7, 8, 9), c(10, 11, 12), c(13, 14, 15), c(16, 17, 18), c(19, 20, 21)),
    list(data = data.frame(time = c(0, 1, 2, 3, 4, 5), infected = c(1, 2.5, 6.25, 15.625, 39.0625, 97.65625)), n = 3L),
    setNames(list(1, 2), c("a long name with spaces in it", "another long name with spaces in it")))

# Functions
add(function() NULL, function(x) x, function(x, y = 2, ...) { x + y }, function(x) if (x) 1 else 2,
    function(a = c("x", "y"), b = list(1, 2), `odd name` = NULL) { if (a) { b } else { NULL } },
    function(first_argument = 1, second_argument = 2, third_argument = 3, fourth = 4) NULL,
    sum, `if`, `[`, `+`, mean, function(x) structure(x, class = "a"), function(x) x$y <- c(a = 1),
    eval(call("function", as.pairlist(alist(x = c(a = 1))), structure(1, class = "odd"))),
    function(x) { for (i in x) { if (i > 2) next else print(i) }; invisible(NULL) },
    function(n) { y <- numeric(n); for (i in seq_len(n)) y[i] <- i^2; y }, new.env(), globalenv())

plain <- lapply(values, function(value) {
  if (is.function(value) && !is.primitive(value)) {
    environment(value) <- globalenv()
    utils::removeSource(value)
  } else {
    value
  }
})
expected <- lapply(plain, function(value) suppressWarnings(deparse(value)))
saveRDS(plain, "values.rds", compress = "xz")
jsonlite::write_json(expected, "expected.json", auto_unbox = FALSE, digits = NA)
cat(length(plain), "values\n")
