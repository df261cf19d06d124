"""R code that the app runs, and the lines that it reads from standard input.

The code is constant and its arguments are read, so no text from disk is parsed as R. It has no
double quotes, which would have to be escaped on the command line of Windows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hipercow_tui.domain.task import TASK_ID
from hipercow_tui.output.r_calls import RAction
from hipercow_tui.support.errors import RscriptError

_IDS = "from <- file('stdin'); ids <- readLines(from); close(from); "

# Reads the lines of r_retry.retry_lines(). task_retry() returns the new ids. Where the cluster does
# not have the resources of one group, the other groups are retried.
_RETRY = (
    "from <- file('stdin'); lines <- strsplit(readLines(from), ' ', fixed = TRUE); close(from); "
    "text <- function(x) { x <- vapply(x, utils::URLdecode, '', USE.NAMES = FALSE); "
    "Encoding(x) <- 'UTF-8'; x }; "
    "as <- list(logical = as.logical, integer = as.integer, double = as.numeric, "
    "character = text, time = function(x) .POSIXct(as.numeric(x), 'UTC')); "
    "given <- list(); failed <- FALSE; "
    "for (words in lines) if (words[[1]] == 'retry') { "
    "tryCatch({ resources <- if (length(given) > 0) "
    "do.call('hipercow_resources', given, envir = asNamespace('hipercow')); "
    "writeLines(hipercow::task_retry(words[-1], resources = resources)) }, "
    "error = function(e) { failed <<- TRUE; "
    "message('Error for ', length(words) - 1, ' of the tasks: ', conditionMessage(e)) }); "
    "given <- list() } "
    "else given[[words[[2]]]] <- as[[words[[1]]]](words[-(1:2)]); "
    "if (failed) quit(status = 1)"
)

# task_cancel() prints what it did.
ACTIONS: Mapping[RAction, str] = {
    RAction.CANCEL: _IDS + "invisible(hipercow::task_cancel(ids))",
    RAction.RETRY: _RETRY,
}

# Each answer is a line with the word, an id and the kind of answer, the texts after "|", and a line
# with the word and "end". The texts keep their bytes, so that the locale of R does not matter.
LOG_ANSWER = "hipercow-tui:"
OUTER_LOGS = (
    _IDS + f"say <- function(...) cat('{LOG_ANSWER}', ..., '\\n'); "
    "for (id in ids) { "
    "answer <- tryCatch({ log <- hipercow::task_log_value(id, outer = TRUE, follow = FALSE); "
    "list(if (is.null(log)) 'none' else 'log', as.character(log)) }, "
    "error = function(e) list('error', conditionMessage(e))); "
    "text <- answer[[2]]; latin <- Encoding(text) == 'latin1'; "
    "text[latin] <- enc2utf8(text[latin]); "
    "text <- gsub('\\n', '\\n|', text, fixed = TRUE, useBytes = TRUE); "
    "cat('\\n'); say(id, answer[[1]]); "
    "if (length(text) > 0) writeLines(paste0('|', text), useBytes = TRUE); "
    "say('end'); flush(stdout()) }"
)


def id_lines(ids: Sequence[str]) -> Sequence[str]:
    """Return ids as the lines that a program reads.

    Raises RscriptError if one of them is not 32 lower-case hex digits.
    """
    if not all(map(TASK_ID.match, ids)):
        raise RscriptError("R was not started, because an id is not the id of a task")
    return ids


# task_info() asks the driver, and records an end that it reports. A retry map without lines keeps
# it from following retries, which it does even with follow = FALSE (docs/spec.md, section 2).
# Each line of the answer is this word, the id, the status or "error", and what R says about it;
# the last two are encoded as in a URL. The text of a warning names the file that an error does not.
# hipercow_init() would make the folder hipercow where a file system is not mounted any more.
# Sys.sleep(0) lets an interrupt end R between two tasks, so that each end is recorded completely.
RECONCILE_ANSWER = "reconciled"
RECONCILE = (
    "options(warn = 1, hipercow.auto_install_missing_packages = FALSE); "
    + _IDS
    + "if (!dir.exists('hipercow')) stop('The root has disappeared'); "
    "root <- suppressMessages(hipercow::hipercow_init('.')); "
    "if (is.data.frame(root$retry_map)) root$retry_map <- root$retry_map[FALSE, , drop = FALSE]; "
    "for (id in ids) { suspendInterrupts({ "
    "warned <- character(); "
    "said <- tryCatch(withCallingHandlers({ "
    "info <- hipercow::task_info(id, follow = FALSE, root = root); "
    "if (is.null(info$driver)) c('error', 'it was not submitted, so no driver can be asked') "
    "else c(info$status, '') "
    "}, warning = function(w) warned <<- conditionMessage(w)), "
    "error = function(e) c('error', paste(c(conditionMessage(e), warned), collapse = ': '))); "
    "said <- vapply(enc2utf8(said), utils::URLencode, '', reserved = TRUE); "
    f"cat('{RECONCILE_ANSWER}', id, said, '\\n'); "
    "flush(stdout()) "
    "}); Sys.sleep(0) }"
)
