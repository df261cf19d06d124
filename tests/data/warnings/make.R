# Writes warnings.rds files as hipercow's task_eval leaves them in a failed task's result (an error
# with the warnings that came before it), and what R itself prints of the warnings. Run in this
# folder with R 4.2.2, rlang 1.0.6, cli, jsonlite: Rscript make.R

library(rlang)
options(width = 80, cli.num_colors = 1L)
Sys.setlocale("LC_ALL", "C.UTF-8")

collect <- function(code) {
  found <- list()
  withCallingHandlers(code, warning = function(w) {
    found[[length(found) + 1L]] <<- w
    tryInvokeRestart("muffleWarning")
  })
  found
}
short <- function(x) warning("too short")
long_call_with_a_name <- function(first_argument, second_argument) warning("a message that is long enough to move to its own line")
many <- function(...) warning("many arguments")
wide <- function(x) warning("one line\nand another")
told <- function(x) warn(c("Header of it.", i = "An info.", x = "A cross."))
caused <- function(x) try_fetch(short(x), warning = function(w) warn("Outer warning.", parent = w))
edge <- function(m) warning(m)

cases <- list(
  one = collect(short(1)),
  two = collect({ short(1); as.integer("x") }),
  no_call = collect(warning("just said", call. = FALSE)),
  long = collect(long_call_with_a_name(first_argument = "something", second_argument = "else")),
  cut = collect(many(aaaaaaaaaaaaaaaa = 1, bbbbbbbbbbbbbbbbbb = 2, cccccccccccccccccc = 3, dddddddddddddddddd = 4, eeeeeeeeeeeee = 5)),
  lines = collect({ wide(1); wide(2) }),
  rlang = collect(told(1)),
  rlang_and_base = collect({ told(1); short(2) }),
  parent = collect(caused(1)),
  file = collect(try(readRDS("no/such/file.rds"), silent = TRUE)),
  operator = collect(1:2 + 1:3),
  eleven = collect(for (i in 1:11) short(i)),
  edge_in = local({ m <- strrep("m", 68); collect(edge(m)) }),
  edge_out = local({ m <- strrep("m", 69); collect(edge(m)) }),
  plain_class = list(structure(class = c("mine", "warning", "condition"), list(message = "of a class", call = quote(f(x)))))
)
printed <- list()
for (name in names(cases)) {
  result <- tryCatch(stop("it ended"), error = identity)
  result$trace <- (function() trace_back())()
  result$warnings <- cases[[name]]
  saveRDS(result, paste0(name, ".rds"))
  shown <- structure(lapply(cases[[name]], conditionCall), class = "warnings",
                     names = vapply(cases[[name]], conditionMessage, ""))
  printed[[name]] <- paste(enc2utf8(capture.output(print(shown))), collapse = "\n")
}
jsonlite::write_json(printed, "printed.json", auto_unbox = TRUE, pretty = TRUE)
