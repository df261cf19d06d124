# What a cluster answers about the outer log of a task, by the number of the question.
question <- 0
cluster <- function(id, outer, config, path_root) {
  question <<- question + 1
  message("asking the cluster")
  switch(question,
         c("running on: n1", "", "ERRORLEVEL was 137"),
         NULL,
         stop("cannot open the connection"),
         character(0),
         c("caf\u00e9", iconv("na\u00efve", "UTF-8", "latin1"), "two\nlines", "\xff raw",
           "hipercow-tui: end", "|x"),
         rlang::abort("No answer", parent = simpleError("Timeout was reached")))
}
