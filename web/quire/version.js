/** The package's version: tabs share engines of one version only. */
export const VERSION = '0.1.0';
