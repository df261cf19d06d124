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

# task_retry() returns the new ids; task_cancel() prints what it did.
ACTIONS: Mapping[RAction, str] = {
    RAction.CANCEL: _IDS + "invisible(hipercow::task_cancel(ids))",
    RAction.RETRY: _IDS + "writeLines(hipercow::task_retry(ids))",
}

# Each answer is a line with the word, an id and the kind of answer, the texts after "|", and a line
# with the word and "end". The texts keep their bytes, so that the locale of R does not matter.
ANSWER = "hipercow-tui:"
OUTER_LOGS = (
    _IDS + f"say <- function(...) cat('{ANSWER}', ..., '\\n'); "
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
