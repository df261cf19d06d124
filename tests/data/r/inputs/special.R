data.frame(
  id = c(
    "00000000000000000000000000000000", "00000000000000000000000000000001",
    "00000000000000000000000000000002", "00000000000000000000000000000003",
    "00000000000000000000000000000004", "00000000000000000000000000000005",
    "00000000000000000000000000000006", "00000000000000000000000000000007",
    "00000000000000000000000000000008", "00000000000000000000000000000009",
    "0000000000000000000000000000000a", "0000000000000000000000000000000b",
    "0000000000000000000000000000000c", "0000000000000000000000000000000d",
    "0000000000000000000000000000000e", "0000000000000000000000000000000f",
    "00000000000000000000000000000010", "00000000000000000000000000000011",
    "00000000000000000000000000000012", "00000000000000000000000000000013",
    "00000000000000000000000000000014", "00000000000000000000000000000015",
    "00000000000000000000000000000016", "00000000000000000000000000000017",
    "00000000000000000000000000000018", "00000000000000000000000000000019",
    "0000000000000000000000000000001a", "0000000000000000000000000000001b",
    "0000000000000000000000000000001c", "0000000000000000000000000000001d",
    "0000000000000000000000000000001e", "0000000000000000000000000000001f"
  ),
  bundle = c(
    NA_character_, "sweep", "sweep;2024", NA, "sweep", "sweep;2024", NA, "sweep",
    "sweep;2024", NA, "sweep", "sweep;2024", NA, "sweep", "sweep;2024", NA,
    "sweep", "sweep;2024", NA, "sweep", "sweep;2024", NA, "sweep", "sweep;2024",
    NA, "sweep", "sweep;2024", NA, "sweep", "sweep;2024", NA, "sweep"
  ),
  status = c(
    "failure", "success", "success", "success", "failure", "success", "success",
    "success", "failure", "success", "success", "success", "failure", "success",
    "success", "success", "failure", "success", "success", "success", "failure",
    "success", "success", "success", "failure", "success", "success", "success",
    "failure", "success", "success", "success"
  ),
  created = .POSIXct(c(
    1800000000.5, 1800000000.5, 1800000000.5, 1800000000.5, 1800000000.5,
    1800000000.5, 1800000000.5, 1800000000.5, 1800000000.5, 1800000000.5,
    1800000000.5, 1800000000.5, 1800000000.5, 1800000000.5, 1800000000.5,
    1800000000.5, 1800000000.5, 1800000000.5, 1800000000.5, 1800000000.5,
    1800000000.5, 1800000000.5, 1800000000.5, 1800000000.5, 1800000000.5,
    1800000000.5, 1800000000.5, 1800000000.5, 1800000000.5, 1800000000.5,
    1800000000.5, 1800000000.5
  ), tz = "UTC"),
  started = .POSIXct(c(
    NA_real_, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ), tz = "UTC"),
  finished = .POSIXct(c(
    1800000060.0, 1800000060.0, 1800000060.0, 1800000060.0, 1800000060.0,
    1800000060.0, 1800000060.0, 1800000060.0, 1800000060.0, 1800000060.0,
    1800000060.0, 1800000060.0, 1800000060.0, 1800000060.0, 1800000060.0,
    1800000060.0, 1800000060.0, 1800000060.0, 1800000060.0, 1800000060.0,
    1800000060.0, 1800000060.0, 1800000060.0, 1800000060.0, 1800000060.0,
    1800000060.0, 1800000060.0, 1800000060.0, 1800000060.0, 1800000060.0,
    1800000060.0, 1800000060.0
  ), tz = "UTC"),
  error = c(
    "it \"failed\"\nin place 0", NA_character_, NA, NA,
    "it \"failed\"\nin place 4", NA, NA, NA, "it \"failed\"\nin place 8", NA, NA,
    NA, "it \"failed\"\nin place 12", NA, NA, NA, "it \"failed\"\nin place 16",
    NA, NA, NA, "it \"failed\"\nin place 20", NA, NA, NA,
    "it \"failed\"\nin place 24", NA, NA, NA, "it \"failed\"\nin place 28", NA,
    NA, NA
  ),
  real = c(
    0.1, 1.0, -0.0, 1e+22, 1e-07, 0.3333333333333333, 770.58261933000006,
    123456789.0, 9007199254740994.0, 1e+300, 5e-324, 3.141592653589793e-300, NaN,
    Inf, -Inf, 0.1, 1.0, -0.0, 1e+22, 1e-07, 0.3333333333333333,
    770.58261933000006, 123456789.0, 9007199254740994.0, 1e+300, 5e-324,
    3.141592653589793e-300, NaN, Inf, -Inf, 0.1, 1.0
  ),
  text = c(
    "plain", "", "NA", "TRUE", "007", "1e5", "0x1A", "Inf", " padded ",
    "two\nlines", "tab\there", "say \"hi\"", "it's", "a,b;c", "back\\slash",
    "# no comment", "=1+1", "-1", "@x", "`x`", "%d", "ü – 日本 😀", "NULL", "plain",
    "", "NA", "TRUE", "007", "1e5", "0x1A", "Inf", " padded "
  ),
  whole = c(
    NA, -4L, -3L, -2L, -1L, 0L, 1L, NA, 3L, 4L, 5L, 6L, 7L, 8L, NA, 10L, 11L,
    12L, 13L, 14L, 15L, NA, 17L, 18L, 19L, 20L, 21L, 22L, NA, 24L, 25L, 26L
  ),
  flag = c(
    TRUE, FALSE, NA, TRUE, FALSE, NA, TRUE, FALSE, NA, TRUE, FALSE, NA, TRUE,
    FALSE, NA, TRUE, FALSE, NA, TRUE, FALSE, NA, TRUE, FALSE, NA, TRUE, FALSE,
    NA, TRUE, FALSE, NA, TRUE, FALSE
  ),
  complex = c(
    0.0-0.5i, 1.0-0.5i, 2.0-0.5i, 3.0-0.5i, 4.0-0.5i, 5.0-0.5i, 6.0-0.5i,
    7.0-0.5i, 8.0-0.5i, 9.0-0.5i, 10.0-0.5i, 11.0-0.5i, 12.0-0.5i, 13.0-0.5i,
    14.0-0.5i, 15.0-0.5i, 16.0-0.5i, 17.0-0.5i, 18.0-0.5i, 19.0-0.5i, 20.0-0.5i,
    21.0-0.5i, 22.0-0.5i, 23.0-0.5i, 24.0-0.5i, 25.0-0.5i, 26.0-0.5i, 27.0-0.5i,
    28.0-0.5i, 29.0-0.5i, 30.0-0.5i, 31.0-0.5i
  ),
  level = c(
    "low", "high", NA_character_, "low", "high", NA, "low", "high", NA, "low",
    "high", NA, "low", "high", NA, "low", "high", NA, "low", "high", NA, "low",
    "high", NA, "low", "high", NA, "low", "high", NA, "low", "high"
  ),
  day = as.Date(c(
    "2022-01-08", "2022-01-09", "2022-01-10", "2022-01-11", "2022-01-12",
    "2022-01-13", "2022-01-14", "2022-01-15", "2022-01-16", "2022-01-17",
    "2022-01-18", "2022-01-19", "2022-01-20", "2022-01-21", "2022-01-22",
    "2022-01-23", "2022-01-24", "2022-01-25", "2022-01-26", "2022-01-27",
    "2022-01-28", "2022-01-29", "2022-01-30", "2022-01-31", "2022-02-01",
    "2022-02-02", "2022-02-03", "2022-02-04", "2022-02-05", "2022-02-06",
    "2022-02-07", "2022-02-08"
  )),
  moment = .POSIXct(c(
    1800000000.0, 1800000000.25, 1800000000.5, 1800000000.75, 1800000001.0,
    1800000001.25, 1800000001.5, 1800000001.75, 1800000002.0, 1800000002.25,
    1800000002.5, 1800000002.75, 1800000003.0, 1800000003.25, 1800000003.5,
    1800000003.75, 1800000004.0, 1800000004.25, 1800000004.5, 1800000004.75,
    1800000005.0, 1800000005.25, 1800000005.5, 1800000005.75, 1800000006.0,
    1800000006.25, 1800000006.5, 1800000006.75, 1800000007.0, 1800000007.25,
    1800000007.5, 1800000007.75
  ), tz = "UTC"),
  code = c(
    "c(1, 2)", NA_character_, "list(1L, \"é\")", "c(1, 2)", NA,
    "list(1L, \"é\")", "c(1, 2)", NA, "list(1L, \"é\")", "c(1, 2)", NA,
    "list(1L, \"é\")", "c(1, 2)", NA, "list(1L, \"é\")", "c(1, 2)", NA,
    "list(1L, \"é\")", "c(1, 2)", NA, "list(1L, \"é\")", "c(1, 2)", NA,
    "list(1L, \"é\")", "c(1, 2)", NA, "list(1L, \"é\")", "c(1, 2)", NA,
    "list(1L, \"é\")", "c(1, 2)", NA
  ),
  mixed = c(
    1, 2.5, 1, 2.5, 1, 2.5, 1, 2.5, 1, 2.5, 1, 2.5, 1, 2.5, 1, 2.5, 1, 2.5, 1,
    2.5, 1, 2.5, 1, 2.5, 1, 2.5, 1, 2.5, 1, 2.5, 1, 2.5
  ),
  odd = c(
    "1", "a", "TRUE", "1", "a", "TRUE", "1", "a", "TRUE", "1", "a", "TRUE", "1",
    "a", "TRUE", "1", "a", "TRUE", "1", "a", "TRUE", "1", "a", "TRUE", "1", "a",
    "TRUE", "1", "a", "TRUE", "1", "a"
  ),
  digits = c(
    "000", "001", "002", "003", "004", "005", "006", "007", "008", "009", "010",
    "011", "012", "013", "014", "015", "016", "017", "018", "019", "020", "021",
    "022", "023", "024", "025", "026", "027", "028", "029", "030", "031"
  ),
  nothing = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  huge = c(
    "0", "1", "2", "<numeric vector of 10,000 values, 80.0 kB: too large>", "4",
    "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17",
    "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30",
    "31"
  ),
  `if` = c(
    0L, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  `TRUE` = c(
    0L, 1L, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  `NA` = c(
    0L, 1L, 2L, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  `NULL` = c(
    NA, 1L, 2L, 3L, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  `function` = c(
    NA, NA, 2L, 3L, 4L, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  input.... = c(
    NA, NA, NA, 3L, 4L, 5L, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  ..1 = c(
    NA, NA, NA, NA, 4L, 5L, 6L, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  input.row.names = c(
    NA, NA, NA, NA, NA, 5L, 6L, 7L, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  input.check.names = c(
    NA, NA, NA, NA, NA, NA, 6L, 7L, 8L, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  T = c(
    NA, NA, NA, NA, NA, NA, NA, 7L, 8L, 9L, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  input.stringsAsFactors = c(
    NA, NA, NA, NA, NA, NA, NA, NA, 8L, 9L, 10L, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  input.status = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, 9L, 10L, 11L, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  input.id = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, 10L, 11L, 12L, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  input.input.status = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, 11L, 12L, 13L, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  input.input.input.id = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, 12L, 13L, 14L, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  `a b` = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, 13L, 14L, 15L, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  a.b = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, 14L, 15L, 16L, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  `_x` = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, 15L, 16L, 17L,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  `.2` = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, 16L, 17L,
    18L, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  `é` = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, 17L, 18L,
    19L, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  `β` = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, 18L,
    19L, 20L, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  `a\`b` = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    19L, 20L, 21L, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  `a"b` = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, 20L, 21L, 22L, NA, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  `a\\b` = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, 21L, 22L, 23L, NA, NA, NA, NA, NA, NA, NA, NA
  ),
  `a,b` = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, 22L, 23L, 24L, NA, NA, NA, NA, NA, NA, NA
  ),
  `1` = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, 23L, 24L, 25L, NA, NA, NA, NA, NA, NA
  ),
  `-` = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, 24L, 25L, 26L, NA, NA, NA, NA, NA
  ),
  `#x` = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, 25L, 26L, 27L, NA, NA, NA, NA
  ),
  `'` = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, 26L, 27L, 28L, NA, NA, NA
  ),
  `%in%` = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, 27L, 28L, 29L, NA, NA
  ),
  `x\ty` = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, 28L, 29L, 30L, NA
  ),
  `x\ny` = c(
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, 29L, 30L, 31L
  ),
  check.names = FALSE, stringsAsFactors = FALSE
)
