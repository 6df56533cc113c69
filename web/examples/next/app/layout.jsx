export const metadata = {title: 'A story', icons: 'data:,'};

export default function Layout({children}) {
  return <html lang="en"><body>{children}</body></html>;
}
