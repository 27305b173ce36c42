//! Table 6-2 of the reference, third part: loading data into tables. No call of this client loads data;
//! the codes are here because the service shares them.

use super::{Code, codes};

pub(super) const CODES: &[Code] = codes! { Reference:
    "DWS.5165" [400] Invalid "Correct the text that stands for null in the data file.";
    "DWS.5166" [400] Invalid "Correct the noescaping option of the text format.";
    "DWS.5167" [400] Invalid "Set the header option of the data file to true, on, false or off.";
    "DWS.5168" [400] Invalid "Set the fill_missing_fields option to true, on, false or off.";
    "DWS.5169" [400] Invalid "Set the ignore_extra_data option to true, on, false or off.";
    "DWS.5170" [400] Invalid "Correct the number of format errors that an import may have.";
    "DWS.5172" [400] Invalid "Create the database first, or correct its name in the import.";
    "DWS.5173" [400] Invalid "Create the schema first, or correct its name in the import.";
    "DWS.5174" [400] Invalid "Create the table first, or correct its name in the import.";
    "DWS.5177" [400] Invalid "Name the database that the import loads into.";
    "DWS.5178" [400] Invalid "Name the schema that the import loads into.";
    "DWS.5179" [400] Invalid "Name the table that the import loads into.";
    "DWS.5180" [400] Invalid "Correct the OBS path that the import reads from.";
    "DWS.5181" [400] Invalid "Mend what the message names and start the import again.";
    "DWS.5182" [400] Invalid "Choose an import that still runs: this one has ended.";
    "DWS.5183" [400] Invalid "Choose an import that still runs: this one was cancelled.";
    "DWS.5184" [400] Invalid "Give the import a data file in CSV or TEXT format.";
    "DWS.5185" [400] Invalid "Give the import a data file in GBK, UTF8, Latin1 or SQL_ASCII encoding.";
    "DWS.5186" [400] Invalid "Correct the field separator of the data file.";
    "DWS.5187" [400] Invalid "Correct the quote character of the CSV file.";
    "DWS.5189" [400] Unavailable "Try again later: the service could not fetch a key of its own.";
};
