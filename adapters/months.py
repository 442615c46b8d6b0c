"""The names of the months and their short forms, in the languages whose files are read. A table, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

MONTHS: Mapping[int, str] = {
    1: "january|jan|januar|jän|jänner|janvier|janv|enero|ene|gennaio|gen|janeiro|januari|tammikuu|tammi"
    "|styczeń|stycznia|sty",
    2: "february|feb|februar|février|févr|fév|febrero|febbraio|fevereiro|fev|februari|helmikuu|helmi|luty|lutego|lut",
    3: "march|mar|märz|mär|mrz|mars|marzo|março|maart|mrt|maaliskuu|maalis|marts|marzec|marca",
    4: "april|apr|avril|avr|abril|abr|aprile|huhtikuu|huhti|kwiecień|kwietnia|kwi",
    5: "may|mai|mayo|maggio|mag|maio|mei|maj|toukokuu|touko|maja",
    6: "june|jun|juni|juin|junio|giugno|giu|junho|kesäkuu|kesä|czerwiec|czerwca|cze",
    7: "july|jul|juli|juillet|juil|julio|luglio|lug|julho|heinäkuu|heinä|lipiec|lipca|lip",
    8: "august|aug|août|agosto|ago|augustus|augusti|elokuu|elo|sierpień|sierpnia|sie",
    9: "september|sep|sept|septembre|septiembre|settembre|set|setembro|syyskuu|syys|wrzesień|września|wrz",
    10: "october|oct|oktober|okt|octobre|octubre|ottobre|ott|outubro|out|lokakuu|loka|październik|października|paź",
    11: "november|nov|novembre|noviembre|novembro|marraskuu|marras|listopad|listopada|lis",
    12: "december|dec|dezember|dez|décembre|déc|diciembre|dic|dicembre|dezembro|joulukuu|joulu|desember|des|grudzień"
    "|grudnia|gru",
}
"""Number of the month -> its names, `|` between them. Finnish writes the day's case at the end: `maaliskuuta`."""
