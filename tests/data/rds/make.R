# Writes the fixtures of tests/formats/test_rds*.py and test_conditions.py: RDS files, and what R
# itself says is in them. Run in this folder, with R >= 4.2, jsonlite, rlang and cli:
#   Rscript make.R
# The tests do not need R.
options(keep.source = FALSE, cli.width = 1000, cli.num_colors = 1, cli.unicode = TRUE)
expected <- list()

is_missing_argument <- function(x) is.symbol(x) && !nzchar(as.character(x))

number <- function(x) {
  if (is.na(x) && !is.nan(x)) NULL else if (is.nan(x)) "NaN" else
    if (is.infinite(x)) (if (x > 0) "Inf" else "-Inf") else sprintf("%.17g", x)
}

text <- function(x) {
  if (is.na(x)) return(NULL)
  if (Encoding(x) == "bytes") {
    bytes <- as.integer(charToRaw(x))
    return(paste(ifelse(bytes > 127, sprintf("\\x%02x", bytes), strsplit(rawToChar(as.raw(
      ifelse(bytes > 127, 63L, bytes))), "")[[1]]), collapse = ""))
  }
  enc2utf8(x)
}

element <- function(x) {
  switch(typeof(x), double = number(x), character = text(x), raw = as.integer(x),
         complex = if (is.na(number(Re(x)) %||% NA) || is.na(number(Im(x)) %||% NA)) NULL else
           list(number(Re(x)), number(Im(x))),
         if (is.na(x)) NULL else x)
}
`%||%` <- function(a, b) if (is.null(a)) b else a

described_attributes <- function(x) {
  held <- attributes(x)
  if (is.data.frame(x)) held$row.names <- .row_names_info(x, 0L)
  if (is.pairlist(x) || is.language(x)) held$names <- NULL
  if (!length(held)) return(NULL)
  lapply(held, describe)
}

tagged <- function(x) {
  tags <- names(x) %||% rep("", length(x))
  lapply(seq_along(x), function(i) list(if (nzchar(tags[[i]])) tags[[i]], describe(x[[i]])))
}

environment_kind <- function(x) {
  if (identical(x, globalenv())) return(list("global", ""))
  if (identical(x, emptyenv())) return(list("empty", ""))
  if (identical(x, baseenv())) return(list("base", ""))
  if (identical(x, .BaseNamespaceEnv)) return(list("basenamespace", ""))
  if (isNamespace(x)) return(list("namespace", getNamespaceName(x)[[1]]))
  name <- environmentName(x)
  if (startsWith(name, "package:") || paste0("package:", name) %in% search())
    return(list("package", sub("^package:", "", name)))
  list("local", "")
}

describe <- function(x) {
  if (missing(x)) return(list(kind = "symbol", name = ""))
  kind <- typeof(x)
  out <- switch(kind,
    "NULL" = return(list(kind = "NULL")),
    symbol = return(list(kind = kind, name = as.character(x))),
    builtin = , special = return(list(kind = "builtin", name = sub('.*"(.*)".*', "\\1", deparse(x)))),
    environment = {
      out <- list(kind = kind, which = environment_kind(x))
      if (out$which[[1]] == "local") out$attributes <- described_attributes(x)
      return(out)
    },
    list = , expression = list(kind = kind, values = lapply(seq_along(x), function(i) describe(x[[i]]))),
    pairlist = list(kind = kind, values = tagged(as.list(x))),
    language = list(kind = kind, "function" = describe(x[[1]]), values = tagged(as.list(x)[-1])),
    closure = list(kind = kind, formals = tagged(as.list(formals(x))), body = describe(body(x)),
                   environment = describe(environment(x))),
    S4 = , externalptr = , weakref = , promise = , bytecode = list(kind = kind),
    list(kind = kind, values = lapply(seq_along(x), function(i) element(.subset(x, i)))))
  out$attributes <- described_attributes(x)
  out
}

save_as <- function(name, x, ..., as = x) {
  saveRDS(x, paste0(name, ".rds"), ...)
  expected[[name]] <<- describe(as)
}

latin1 <- "caf\xe9 \x80"; Encoding(latin1) <- "latin1"
bytes <- "raw \xff\x01z"; Encoding(bytes) <- "bytes"

vectors <- list(
  logical = c(TRUE, FALSE, NA), integer = c(1L, NA, -5L, .Machine$integer.max),
  double = c(0.1, NA, NaN, Inf, -Inf, -0, 1e-320, 1.5e300), complex = c(1+2i, NA, complex(real = NaN, imaginary = 1)),
  character = c("plain", NA, "", "h\u00e9llo \u4f60\u597d \U1F984", latin1, bytes, "tab\tnewline\n"),
  raw = as.raw(0:255), none = integer(0), flags = c(a = TRUE, b = NA))
for (name in names(vectors)) {
  save_as(paste0("v3_", name), vectors[[name]])
  save_as(paste0("v2_", name), vectors[[name]], version = 2)
}
for (compress in c("gzip", "bzip2", "xz")) save_as(paste0("packed_", compress), vectors, compress = compress)
save_as("packed_none", vectors, compress = FALSE)
saveRDS(vectors, "ascii.rds", ascii = TRUE)
con <- file("little_endian.rds", "wb"); writeBin(serialize(vectors, NULL, xdr = FALSE), con); close(con)
save(vectors, file = "workspace.rda")

save_as("null", NULL)
save_as("list", list(1, "a", list(b = NULL, c = list()), named = quote(x)))
save_as("data_frame", data.frame(x = 1:3, y = c("a", NA, "c"), z = factor(c("u", "v", "u"))))
save_as("matrix", matrix(1:6, 2, dimnames = list(NULL, c("a", "b", "c"))))
save_as("times", c(created = .POSIXct(1.5e9), finished = .POSIXct(NA_real_)))
save_as("dates", as.Date(c("2024-02-29", NA)))
save_as("pairlist", structure(pairlist(a = 1, "b", c = NULL), note = "attributed"))
save_as("expression", expression(a + b, f(x, n = 2), 3))
save_as("call", quote(run_sir(b, 0.1, n = -2L, `odd name` = pkg::f(...)[[1]], )))
save_as("call_attributed", structure(quote(f(x)), srcnote = "here", class = "noted"))
save_as("formula", y ~ x + log(z), as = y ~ x + log(z))
save_as("operators", quote(if (a %in% b) { x <- !y; while (TRUE) break } else function(n, m = 2, ...) -n^m))

f <- function(x, y = 2, ...) { z <- x + y; sum(z, ...) }
save_as("closure", f)
compiled <- compiler::cmpfun(function(n, k = 3) {
  total <- 0
  for (i in seq_len(n)) { if (i %% 2 == 0) next; total <- total + i * k }
  inner <- function(a) { b <- function(u) u + a; while (a > 0) { a <- a - 1; a[[1]] <- b(a) }; a }
  switch("x", x = total, y = stop("no")) + inner(total) + inner(total)
})
environment(compiled) <- globalenv()
save_as("bytecode", compiled)
save_as("bytecode_twice", list(compiled, quote(after), compiled, symbol = quote(total)))
options(keep.source = TRUE)
sourced <- eval(parse(text = "function(a) {\n  # a comment\n  a + 1\n}"))
options(keep.source = FALSE)
save_as("srcref", sourced)
wrapped <- structure(f, class = "wrapped")
save_as("closure_attributed", wrapped)

local_env <- structure(new.env(parent = globalenv()), class = "box")
local_env$self <- local_env
local_env$fun <- eval(quote(function(deep) symbol_seen_first_inside + deep), local_env)
delayedAssign("lazy", stop("never"), assign.env = local_env)
lockEnvironment(local_env)
save_as("environments", list(globalenv(), emptyenv(), baseenv(), asNamespace("stats"), .BaseNamespaceEnv,
                             as.environment("package:stats"), local_env, local_env,
                             quote(symbol_seen_first_inside(deep)), asNamespace("stats")))
save_as("hashed_environment", list2env(list(a = 1, b = "two"), hash = TRUE))
save_as("builtins", list(sum, `if`, `+`, `[[`))
save_as("pointer", list(new("externalptr"), 1))
setClass("Point", representation(x = "numeric", label = "character"))
save_as("s4", new("Point", x = 1:2 / 2, label = "here"))
refs <- list(new.env(), quote(a), 1)
saveRDS(list(refs[[1]], 2), "persistent.rds", refhook = function(x) if (identical(x, refs[[1]])) "my id")
expected$persistent <- list(kind = "list", values = list(list(kind = "persistent"), describe(2)))

save_as("altrep_int", 1:20)
save_as("altrep_int_down", list(10:1, 5:5))
save_as("altrep_real", 2147483648:2147483652)
save_as("altrep_string", list(as.character(1:12), as.character(c(1.5, 1e5, 100000, 123456, 0.1 + 0.2, 1/3, 1e-300, 1e15,
  1e22, 123456789012, 0.0001, 1e-5, 0.00012345, NA, NaN, Inf, -Inf, -2.5, 0, 1e5 + 0.1, 33.333333333333336))))
wrap <- function(x) .Internal(wrap_meta(x, NA_integer_, TRUE))
save_as("altrep_wrap", list(wrap(c(1, 2.5)), wrap(c(a = 3L, b = 4L)), wrap(c("s", "t")), wrap(TRUE), wrap(1i), wrap(as.raw(7))))

nested <- function(depth) Reduce(function(inner, i) list(inner), seq_len(depth), NULL)
save_as("deep", nested(20))
saveRDS(nested(120), "deep_120.rds")
saveRDS(nested(3000), "deep_3000.rds")
save_as("wide_pairlist", as.pairlist(as.list(seq_len(3000))))
saveRDS(Reduce(function(a, b) call("+", a, b), lapply(1:100, as.numeric)), "long_sum.rds")

# As hipercow's info, but not quite: what each gives for created, started, finished.
moments <- c(created = 1.7e9 + 0.25, started = NA, finished = 1.7e9 + 60.5)
posixct <- function(x, ...) structure(x, class = c("POSIXct", "POSIXt"), ...)
info <- function(name, times, ..., status = "success") saveRDS(
  list(status = status, times = times, cpu = proc.time(), memory = gc()), paste0("info_", name, ".rds"), ...)
info("plain", posixct(moments))
info("version2", posixct(moments), version = 2)
info("bzip2", posixct(moments), compress = "bzip2")
info("uncompressed", posixct(moments), compress = FALSE)
info("reordered", posixct(moments[c(3, 1, 2)]))
info("more", posixct(c(queued = 1, moments)))
info("zone", posixct(moments, tzone = "Europe/London"))
info("status", posixct(moments), status = "lost")
info("compact_names", `names<-`(posixct(unname(moments)), names(moments)))
info("integer", posixct(c(created = 1700000000L, started = NA, finished = 1700000060L)))
info("bad_renamed", posixct(c(created = 1, begun = 2, finished = 3)))
info("bad_unnamed", posixct(unname(moments)))
info("bad_no_class", moments)
info("bad_text", c(created = "now", started = "now", finished = "now"))
saveRDS(list("success"), "info_bad_short.rds")
saveRDS(c(status = "success"), "info_bad_vector.rds")

jsonlite::write_json(expected, "expected.json", auto_unbox = TRUE, null = "null")

# What went wrong ---------------------------------------------------------------------------------

library(rlang)
caught <- function(code) tryCatch(code, error = identity)
big <- runif(5000)
thrower <- function(x) abort(c("It failed.", i = "Try again.", x = "Really.", "!" = "Beware.", "*" = "A point.", " " = "Indented.", "Plain."))
outer_fun <- function(x) try_fetch(inner_fun(x), error = function(e) abort("Outer failed.", parent = e))
inner_fun <- function(x) try_fetch(stop("innermost"), error = function(e) abort(c("Inner failed.", i = "hint"), parent = e))
operators <- function() try_fetch(1 + "a", error = function(e) abort("No sum.", parent = e))
namespaced <- function() try_fetch(stats::rnorm("z", stop("q")), error = function(e) abort("No draw.", parent = e))
traced <- function(n) if (n > 0) do.call(traced, list(n - 1)) else { force(big); abort("Deep.", trace = trace_back()) }
own <- structure(class = c("own_error", "error", "condition"), list(message = "mine", call = quote(f(x)), data = big))

conditions <- list(
  base = caught(stop("plain stop")),
  base_call = caught(log("a")),
  base_lines = caught(stop("first\nsecond ", "\u4f60\u597d")),
  base_empty = caught(stop()),
  base_class = own,
  warning_turned = caught({ old <- options(warn = 2); on.exit(options(old)); as.integer("x") }),
  lost = simpleError("task reported as lost"),
  error_condition = errorCondition("told", class = "told", data = list(1, 2), call = quote(g())),
  message_last = structure(class = c("late", "error", "condition"), list(trace = list(big, quote(h)), message = "late")),
  rlang = caught(abort("Simple.")),
  rlang_bullets = caught(thrower()),
  rlang_unnamed = caught(abort(c("Header", "one", "two"))),
  rlang_parent = caught(outer_fun(1)),
  rlang_operators = caught(operators()),
  rlang_namespaced = caught(namespaced()),
  rlang_if = error_cnd(message = "top", parent = simpleError("low", quote(if (a) b else c))),
  rlang_eval = error_cnd(message = "top", parent = simpleError("low", quote(eval(x, y)))),
  rlang_index = error_cnd(message = "top", parent = simpleError("low", quote(x$f(1)))),
  rlang_backtick = error_cnd(message = "top", parent = simpleError("low", quote(`odd name`(1)))),
  rlang_anonymous = error_cnd(message = "top", parent = simpleError("low", quote((function(x) x)(1)))),
  rlang_parent_warning = error_cnd(message = "top", parent = simpleWarning("careful", quote(w()))),
  rlang_parent_empty = error_cnd(message = "top", parent = simpleError("", NULL)),
  rlang_parent_newline = error_cnd(message = "top", parent = simpleError("low\n", quote(f()))),
  rlang_parent_plain_list = error_cnd(message = "top", parent = structure(class = c("a", "error", "condition"), list(message = "m", call = NULL))),
  rlang_trace = caught(traced(20)),
  rlang_body = error_cnd(message = "Header", body = c(i = "body text", "more"), footer = "foot"),
  rlang_cli = error_cnd(message = "Header", body = c(i = "info", x = "cross", v = "tick", "!" = "bang", "*" = "dot", ">" = "arrow", " " = "space", "none"), footer = c(i = "foot"), use_cli_format = TRUE),
  rlang_cli_parent = error_cnd(message = "top", parent = error_cnd(message = "Header", body = c(x = "cross"), use_cli_format = TRUE, call = quote(f(2)))),
  rlang_header = error_cnd(message = "unused", header = "The header", body = "b"),
  rlang_warning = warning_cnd(message = "warned"),
  cli_abort = caught({ n <- 3; cli::cli_abort(c("Can't take {n} task{?s}.", i = "Use {.fn f}.", x = "No.")) }),
  with_warnings = local({ e <- caught(stop("and warned")); e$warnings <- list(simpleWarning("w1"), simpleWarning("w2")); e$trace <- trace_back(); e }))
messages <- list()
for (name in names(conditions)) {
  saveRDS(conditions[[name]], paste0("condition_", name, ".rds"))
  messages[[name]] <- enc2utf8(cli::ansi_strip(conditionMessage(conditions[[name]])))
}
# What R computes when asked can't stand in a file: the stored parts remain.
saveRDS(error_cnd(message = "stored", body = function(cnd, ...) "computed"), "condition_body_function.rds")
messages$body_function <- "stored"
saveRDS(error_cnd(message = "stored", body = ~ "computed"), "condition_body_formula.rds")
messages$body_formula <- "stored"
jsonlite::write_json(messages, "messages.json", auto_unbox = TRUE, pretty = TRUE)
